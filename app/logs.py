"""What is logged: sentences for a person, or JSON lines for a machine without personal data."""

from __future__ import annotations

import json
import logging
import time
import traceback
from pathlib import Path
from types import TracebackType

_ROOT = Path(__file__).parent.parent
_DEPTH = 12  # innermost calls of an exception that are told


class JsonLines(logging.Formatter):
    """One JSON object per line: time, level, logger, event, and the fields of the record.

    Messages of exceptions are left out: they may hold the name of a visitor's file. Their type and
    where they came from stay. So are the texts of other libraries, which put such messages into
    theirs; the place in their code says what it was.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            **_said(record),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["trace"] = _calls(record.exc_info[2])
        return json.dumps(line, default=str)


def configure(kind: str) -> None:
    """Log to the standard error stream; kind is "text" or "json"."""
    handler = logging.StreamHandler()
    plain = logging.Formatter("%(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonLines() if kind == "json" else plain)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs an address per request


def _said(record: logging.LogRecord) -> dict[str, str]:
    """What happened; of other libraries only where in their code that was said."""
    if record.name.split(".")[0] in ("app", "skeletr", "__main__"):
        return {"event": record.getMessage()}
    place = f"{_short(record.pathname)}:{record.lineno} {record.funcName}"
    return {"event": "a message of a library", "place": place}


def _calls(trace: TracebackType | None) -> list[str]:
    return [
        f"{_short(call.filename)}:{call.lineno} {call.name}"
        for call in traceback.extract_tb(trace)[-_DEPTH:]
    ]


def _short(filename: str) -> str:
    path = Path(filename)
    if path.is_relative_to(_ROOT):
        return str(path.relative_to(_ROOT))
    return "/".join(path.parts[-2:])
