"""Start the web app: `python launch.py`."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

# Before Gradio is imported: it reads these then, and nothing may be sent anywhere.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
# A folder of our own, so that what was left behind there is known to be ours.
os.environ.setdefault("GRADIO_TEMP_DIR", str(Path(tempfile.gettempdir()) / "skeletr-files"))
# Threads that spin while they wait take the processor from the pose model and the server.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from PIL import Image

from app.examples import first_example_ahead
from app.foreign_logs import take_over
from app.gradio_line import files_in_line
from app.logs import configure
from app.settings import AppSettings
from app.status import versions
from app.ui import build, launch_options, stop
from skeletr.devices import DEVICES, DeviceError, pick_device, share_cores

_LOG = logging.getLogger("app.launch")


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted. Returns 0, or 2 where arguments or environment cannot be met."""
    args = _parser().parse_args(arguments)
    try:
        pick_device(args.device)
        settings = AppSettings.from_environment(checkpoint=args.checkpoint, device=args.device)
    except (DeviceError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    configure(settings.log)
    take_over(settings.log)
    share_cores()
    # A small camera picture may hold a huge one.
    # Pillow refuses what has more than twice this number of pixels.
    Image.MAX_IMAGE_PIXELS = max(1, settings.limits.max_pixels // 2)
    ending = _signals()
    page = build(settings)
    page.sessions.in_line = lambda: files_in_line(page)
    try:
        page.launch(
            server_name=args.host,
            server_port=args.port,
            share=args.share,
            prevent_thread_lock=True,
            **launch_options(settings, page),
        )
        _LOG.info("serving", extra={"fields": {"versions": versions()}})
        with first_example_ahead(page.engine):
            while not ending.wait(0.5) and page.is_running:
                pass
    except OSError as error:
        print(f"The app cannot be served: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    finally:
        _LOG.info("stopping")
        stop(page)
    return 0


def _signals() -> threading.Event:
    """Set when a service manager asks the program to end, so that it ends in order."""
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    return ending


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="SkeleTR Live in the browser.",
        epilog="Limits are set by SKELETR_* variables of the environment: docs/HOSTING.md.",
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to compute")
    parser.add_argument("--host", help="address to serve on; GRADIO_SERVER_NAME or 127.0.0.1")
    parser.add_argument("--port", type=int, help="GRADIO_SERVER_PORT, or the first free from 7860")
    parser.add_argument(
        "--checkpoint", type=Path, default=AppSettings.checkpoint, help="folder of the action model"
    )
    parser.add_argument("--share", action="store_true", help="a public link by way of Gradio")
    return parser


if __name__ == "__main__":
    sys.exit(main())
