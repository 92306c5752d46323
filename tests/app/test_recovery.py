"""The server goes away under an open page: the page says so and goes on by itself."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
START = 180.0  # seconds, on a machine that does other work
FAKE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
AWAY = "#skeletr-away"
# What the page says is gone after a while, sooner than a test on a busy machine may look.
REMEMBER = f"""window.told = [];
new MutationObserver(() => {{
  const text = document.querySelector("{AWAY}")?.textContent;
  if (text && text !== window.told.at(-1)) window.told.push(text);
}}).observe(document, {{ subtree: true, childList: true, characterData: true }});"""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are stopped by signals")


class Server:
    """`launch.py` without a model, always at the same address; it may be killed and come back."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._folder = folder
        self.start()

    def start(self) -> None:
        command = [sys.executable, "launch.py", "--port", str(self._port), "--device", "cpu"]
        command += ["--checkpoint", str(self._folder / "none")]
        variables = {"OMP_NUM_THREADS": "1", "GRADIO_TEMP_DIR": str(self._folder / "files")}
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                urllib.request.urlopen(self.url, timeout=10).close()
                return
            except (urllib.error.URLError, TimeoutError):
                time.sleep(0.2)
        raise AssertionError(f"the app does not answer, it ended with {self._process.poll()}")

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("server"))
    yield made
    made.kill()


def open_tab(context, server: Server | Line):
    """A page that knows its server; it gets a mark that is gone once it is loaded anew."""
    page = context.new_page()
    page.set_default_timeout(1e3 * START)
    page.add_init_script(REMEMBER)
    with page.expect_response("**/gradio_api/app_id"):
        page.goto(server.url)
    page.get_by_role("tab", name="Live").wait_for()
    page.evaluate("window.notLoadedAnew = true")
    return page


def wait_until_loaded_anew(page) -> None:
    page.wait_for_function("!window.notLoadedAnew && document.querySelector('[role=tab]')")


def wait_until_told(page, text: str) -> None:
    """Wait until the page, as it is loaded now, has said `text`."""
    page.wait_for_function("text => window.told.some((told) => told.includes(text))", arg=text)


def in_a_hurry(context) -> None:
    """Let the page ask three times as often whether its server is there; it does all the same."""
    script = (ROOT / "app" / "recovery.js").read_text(encoding="utf-8")
    usual = re.findall(r"\b(?:EVERY|SOON|PATIENCE) = \d+", script)
    assert len(usual) == 3

    def hurry(route) -> None:
        answer = route.fetch()
        text = answer.text()
        for setting in usual:
            name, milliseconds = setting.split(" = ")
            text = text.replace(setting, f"{name} = {int(milliseconds) // 3}")
        route.fulfill(response=answer, body=text)

    context.route(re.compile(r"^http://[^/]+/(\?.*)?$"), hurry)


@pytest.fixture
def context(browser) -> Iterator:
    made = browser.new_context()
    in_a_hurry(made)
    yield made
    made.close()


def test_two_tabs_survive_a_restart_of_the_server(context, server: Server) -> None:
    tabs = [open_tab(context, server) for _ in range(2)]
    tabs[0].get_by_role("tab", name="Live").click()
    server.kill()
    for tab in tabs:
        wait_until_told(tab, "The server cannot be reached")
    server.start()
    for tab, open_one in zip(tabs, ("Live", "Video"), strict=True):
        wait_until_loaded_anew(tab)
        wait_until_told(tab, "loaded anew")
        selected = tab.locator(f'[role="tab"][aria-selected="true"]:has-text("{open_one}")')
        selected.wait_for()
        tab.locator(AWAY).wait_for(state="hidden")


def test_a_server_that_only_stands_still_changes_nothing(context, server: Server) -> None:
    page = open_tab(context, server)
    server.send(signal.SIGSTOP)
    try:
        wait_until_told(page, "The server cannot be reached")
    finally:
        server.send(signal.SIGCONT)
    page.locator(AWAY).wait_for(state="hidden")
    assert page.evaluate("window.notLoadedAnew")


def test_an_open_page_says_that_it_is_there(context, server: Server) -> None:
    page = context.new_page()
    page.set_default_timeout(START * 1000)
    with page.expect_request(re.compile(r"/gradio_api/app_id\?page=\w+$")):
        page.goto(server.url)


def test_a_network_that_was_gone(context, server: Server) -> None:
    page = open_tab(context, server)
    context.set_offline(True)
    wait_until_told(page, "The server cannot be reached")
    context.set_offline(False)
    # Whether the connections outlived it or not: in the end the page works and says nothing.
    page.wait_for_function(f"document.querySelector('{AWAY}')?.hidden !== false")
    with page.expect_response(re.compile(r"/gradio_api/app_id(\?|$)")) as answer:
        pass
    assert answer.value.ok


def test_a_camera_that_ran_runs_again(launch_browser: Callable, server: Server) -> None:
    with launch_browser(*FAKE) as browser:
        page = open_tab(browser.new_context(permissions=["camera"]), server)
        page.get_by_role("tab", name="Live").click()
        page.get_by_text("Click to Access Webcam").click()
        with page.expect_request("**/stream/*"):
            page.get_by_label("capture photo").first.click()
        server.kill()
        server.start()
        with page.expect_request("**/stream/*"):
            wait_until_loaded_anew(page)


class Line:
    """A connection to the server that can be cut: every byte goes through it."""

    def __init__(self, server: Server) -> None:
        self._to = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """Break all connections; new ones are made as before."""
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._to)
                self._open += (near, far)
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(2**16):
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def line(server: Server) -> Iterator[Line]:
    made = Line(server)
    yield made
    made.close()


def start_camera(page) -> None:
    page.get_by_role("tab", name="Live").click()
    page.get_by_text("Click to Access Webcam").click()
    with page.expect_request("**/stream/*"):
        page.get_by_label("capture photo").first.click()


def never_ask(context) -> None:
    """Let the page ask no second time whether its server is there: every break is too short."""

    def patient(route) -> None:
        answer = route.fetch()
        text, count = re.subn(r"\bEVERY = \d+, SOON", f"EVERY = {10**8}, SOON", answer.text())
        assert count == 1
        route.fulfill(response=answer, body=text)

    context.route(re.compile(r"^http://[^/]+/(\?.*)?$"), patient)


def test_a_break_that_is_too_short_to_be_noticed(
    launch_browser: Callable, server: Server, line: Line
) -> None:
    with launch_browser(*FAKE) as browser:
        context = browser.new_context(permissions=["camera"])
        never_ask(context)
        page = open_tab(context, line)
        start_camera(page)
        line.cut()
        with page.expect_request("**/stream/*"):
            wait_until_loaded_anew(page)
        wait_until_told(page, "The connection was interrupted")
        page.locator('[role="tab"][aria-selected="true"]:has-text("Live")').wait_for()


def test_a_visitor_who_loads_the_page_anew_begins_with_a_fresh_one(
    launch_browser: Callable, server: Server
) -> None:
    with launch_browser(*FAKE) as browser:
        page = open_tab(browser.new_context(permissions=["camera"]), server)
        start_camera(page)
        page.reload()
        page.locator('[role="tab"][aria-selected="true"]:has-text("Video")').wait_for()
        assert page.evaluate("sessionStorage.getItem('skeletr-resume')") is None
        assert page.evaluate("window.told.length") == 0
