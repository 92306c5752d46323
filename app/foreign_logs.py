"""What other libraries would print by themselves goes into the log, so that its lines stay its own.

Tried with the version of Gradio in requirements.txt.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from pathlib import Path
from types import SimpleNamespace

from gradio import queueing, route_utils, routes
from uvicorn.config import LOGGING_CONFIG

_LOG = logging.getLogger(__name__)
_PRINTING = (queueing, routes, route_utils)  # of Gradio: they print what an event has raised


def take_over(kind: str) -> None:
    """Log the faults that Gradio prints, and those of threads; Uvicorn logs as all others do.

    Args:
        kind: with "json", warnings of Python become lines too, without their texts.
    """
    for module in _PRINTING:
        if not hasattr(module, "traceback"):
            raise RuntimeError("this version of Gradio prints faults in a way not known here")
        module.traceback = SimpleNamespace(print_exc=_log_fault)
    LOGGING_CONFIG.update(handlers={}, loggers={})
    threading.excepthook = _log_thread
    if kind == "json":
        warnings.showwarning = _log_warning


def _log_fault() -> None:
    error = sys.exc_info()[0]
    if error is not None and issubclass(error, Exception):
        _LOG.error("an event of the page failed", exc_info=True)


def _log_thread(fault: threading.ExceptHookArgs) -> None:
    if not issubclass(fault.exc_type, SystemExit):
        trace = (fault.exc_type, fault.exc_value, fault.exc_traceback)
        _LOG.error("a thread ended by a fault", exc_info=trace)


def _log_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object
) -> None:
    place = "/".join(Path(filename).parts[-2:])
    _LOG.warning("%s at %s:%d", category.__name__, place, lineno)
