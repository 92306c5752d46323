"""How soon a first visitor without a camera sees an example and its attention.

    python -m benchmarks.first_visit [--rounds 5]

The app is started the way a user starts it and a Chromium opens the page as soon as it answers:
that is the first visit, of a server that still loads its models. More visits follow, each with a
browser that has been nowhere before. Each presses the first example at once. Told are the seconds
from opening the page until the button is there, until the heads and the heat map are drawn, and
until the replay can be played, with the load of the machine.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from app.examples import example_names
from benchmarks.machine import machine, told
from benchmarks.serving import answering_app

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
_PATIENCE = 120.0  # seconds until a page must show something
_STEPS = {
    "heads": "document.querySelector('#video-heads img')?.naturalWidth > 0",
    "heat map": "document.querySelector('#video-attention .heatmaplayer image') !== null",
    "replay": "document.querySelector('#video-annotated video')?.readyState > 1",
}


def main() -> int:
    """Print a line per visit, and the medians of those to a warm server."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="visits after the first one")
    given = parser.parse_args()
    # Here, so that who lacks it can still read --help.
    from playwright.sync_api import sync_playwright

    path = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        raise SystemExit(f"no browser: none of {', '.join(_BROWSERS)} is installed")
    print(told(machine()), flush=True)
    with (
        sync_playwright() as driver,
        tempfile.TemporaryDirectory() as folder,
        answering_app(Path(folder)) as (url, _),
    ):
        visits = []
        for number in range(given.rounds + 1):
            visits.append(_visit(driver.chromium, path, url))
            _tell("fresh server" if not number else f"warm, visit {number}", visits[-1])
    if visits[1:]:
        middle = {k: statistics.median(v[k] for v in visits[1:]) for k in visits[0]}
        _tell("warm, median", middle)
    print(told(machine()))
    return 0


def _tell(name: str, seconds: dict[str, float]) -> None:
    print(f"{name}: " + ", ".join(f"{k} {v:.1f} s" for k, v in seconds.items()), flush=True)


def _visit(chromium, path: str, url: str) -> dict[str, float]:
    """Seconds from opening the page to each step, in a browser of its own."""
    browser = chromium.launch(executable_path=path, args=_QUIET)
    try:
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(1000 * _PATIENCE)
        begin = time.monotonic()
        page.goto(url, wait_until="commit")
        page.get_by_role("button", name=example_names()[0], exact=True).click()
        seconds = {"button": time.monotonic() - begin}
        for name, there in _STEPS.items():
            page.wait_for_function(there, polling=50)
            seconds[name] = time.monotonic() - begin
        return seconds
    finally:
        browser.close()


if __name__ == "__main__":
    raise SystemExit(main())
