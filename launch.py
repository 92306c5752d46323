"""Start the web app: `python launch.py`."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from pathlib import Path

# Before Gradio is imported: it reads these then, and nothing may be sent anywhere.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
# Threads that spin while they wait take the processor from the pose model and the server.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from app.settings import AppSettings
from app.ui import build, launch_options
from skeletr.devices import DEVICES, DeviceError, pick_device, share_cores


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted. Returns 0, or 2 where the arguments cannot be met."""
    args = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        pick_device(args.device)
        settings = AppSettings(checkpoint=args.checkpoint, device=args.device)
    except (DeviceError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    share_cores()
    # Stopped by a service manager, the app still removes what belongs to open pages.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    page = build(settings)
    try:
        page.queue().launch(
            server_name=args.host,
            server_port=args.port,
            share=args.share,
            **launch_options(settings),
        )
    except OSError as error:
        print(f"The app cannot be served: {error}", file=sys.stderr)
        return 2
    finally:
        page.sessions.close_all()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="SkeleTR Live in the browser.")
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
