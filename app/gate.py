"""What is let through to Gradio: only what this app uses, and nothing larger than it may be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from starlette.formparsers import MultiPartException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.arrivals import Arrivals
from app.metrics import Metrics
from app.neighbours import group_of
from app.room import Claim, DiskFull, Room
from app.settings import AppSettings

_API = "/gradio_api"
_FILE = re.compile(rf"{_API}/file[=/](?P<name>.*)", re.DOTALL)
# Two letters or more, so that the drive letter of a Windows path is none.
_ADDRESS = re.compile(r"[\s/\\]*[a-z][a-z0-9+.-]+:", re.IGNORECASE)
# Parts of Gradio that this app does not use: fetching from other servers, links that store a
# visitor's page on the disk, its history of runs, editing, and statistics.
_UNUSED = re.compile(
    rf"{_API}/(proxy=|deep_link|run-history|runs|vibe-|process_recording|profiling"
    r"|dev/|component_server)"
    r"|/(monitoring|dev/)"
)
_UPLOAD = f"{_API}/upload"
_FRAME = re.compile(rf"{_API}/stream/(?P<camera>[^/]+)")
_ALIVE = f"{_API}/app_id"  # what recovery.js asks for every few seconds
_OPEN = re.compile(rb"page=(?P<page>\w{1,64})")
_MB = 2**20
_INTERRUPTED = "The upload was interrupted. Try again."
_GRADIO_413 = "maximum allowed size"  # the words for which Gradio answers 413
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    # An address with the path of a visitor's file in it must not reach anybody else.
    b"referrer-policy": b"no-referrer",
}
_PRIVATE = {b"cache-control": b"private, no-store"}


class _Refusal(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Gate:
    """ASGI middleware in front of Gradio.

    Args:
        arrivals: told of each camera picture.
        free: bytes that are free on the disk that uploads go to.
        is_open: told of each page that says it is still open.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: AppSettings,
        metrics: Metrics,
        free: Callable[[], int],
        arrivals: Arrivals | None = None,
        is_open: Callable[[str], None] = lambda page: None,
    ) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._room = Room(free, settings.min_free_mb * _MB, settings.address_share)
        self._arrivals = arrivals or Arrivals()
        self._is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a sentence that says why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with ExitStack() as ending:
            try:
                self._check_path(scope["path"])
                counted = self._counted(scope, receive, ending)
            except _Refusal as refusal:
                answer = PlainTextResponse(refusal.text, refusal.status)
                await answer(scope, receive, _with_headers(send, _HEADERS))
                return
            await self._pass_on(scope, counted, send)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = _OPEN.fullmatch(scope.get("query_string", b"")) if scope["path"] == _ALIVE else None
        if page:
            self._is_open(page["page"].decode())
        frame = _FRAME.fullmatch(scope["path"])
        if scope["method"] == "POST" and frame:
            self._metrics.add("frames_received_total")
            self._arrivals.came(frame["camera"])
        if _is_upload(scope):
            send = _read(send, lambda answer: self._note_uploads(scope, answer))
        private = _PRIVATE if _FILE.match(scope["path"]) else {}
        await self._app(scope, receive, _with_headers(send, _HEADERS | private))

    def _note_uploads(self, scope: Scope, answer: bytes) -> None:
        try:
            paths = json.loads(answer)
        except ValueError:  # of an upload that was refused
            return
        if isinstance(paths, list):
            self._room.lie(_group(scope), [Path(p) for p in paths if isinstance(p, str)])

    def _check_path(self, path: str) -> None:
        file = _FILE.match(path)
        if file and _ADDRESS.match(file["name"]):
            raise _Refusal(403, "Only files of this app can be fetched, no addresses.")
        if _UNUSED.match(path):
            raise _Refusal(404, "This app has no such page.")

    def _counted(self, scope: Scope, receive: Receive, ending: ExitStack) -> Receive:
        """`receive`, refusing a body that is too large: by what it says, else as it comes.

        ending: what is to be done when the request is over.
        """
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return receive
        upload = _is_upload(scope)
        megabytes = self._settings.max_upload_mb if upload else self._settings.max_picture_mb
        # Around a file of the largest size there is a little more.
        most = megabytes * _MB + _MB
        length = _content_length(scope)
        if length is not None and length > most:
            raise _Refusal(413, _too_large(upload, megabytes))
        if not upload:
            return _at_most(receive, most)
        try:
            claim = ending.enter_context(self._room.claim(length, _group(scope)))
        except DiskFull as error:
            raise _Refusal(507, str(error)) from error
        return _whole(receive, most, _too_large(upload, megabytes), claim)


def _is_upload(scope: Scope) -> bool:
    return scope["method"] == "POST" and scope["path"].rstrip("/") == _UPLOAD


def _group(scope: Scope) -> str:
    client = scope.get("client")
    return group_of(client[0]) if client else ""


def _read(send: Send, told: Callable[[bytes], None]) -> Send:
    """`send`, telling the whole of a short answer once it has been sent."""
    answer = bytearray()

    async def reading(message: Message) -> None:
        await send(message)
        answer.extend(message.get("body", b""))
        if message["type"] == "http.response.body" and not message.get("more_body"):
            told(bytes(answer))

    return reading


def _too_large(upload: bool, megabytes: int) -> str:
    if not upload:
        return f"This request is too large: the limit is {megabytes} MB."
    # Gradio sends all files that were chosen together as one.
    return (
        f"This upload is too large: the {_GRADIO_413} is {megabytes} MB, for several files "
        "together too. Give a smaller file, or give the files one by one."
    )


def _content_length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return None


def _at_most(receive: Receive, most: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            return {"type": "http.disconnect"}  # it said less than it sends
        return message

    return counted


def _whole(receive: Receive, most: int, too_large: str, claim: Claim) -> Receive:
    """`receive` of an upload, which fails where the body ends early, is larger than `most` or than
    the disk has room for.

    It fails in the one way after which Gradio removes the files that it has begun.
    """
    seen, more = 0, True

    async def whole() -> Message:
        nonlocal seen, more
        message = await receive()
        if more and message["type"] == "http.disconnect":
            raise MultiPartException(_INTERRUPTED)
        seen += len(message.get("body", b""))
        if seen > most:
            raise MultiPartException(too_large)
        try:
            claim.came(len(message.get("body", b"")))
        except DiskFull as error:
            raise MultiPartException(str(error)) from error
        more = message.get("more_body", False)
        return message

    return whole


def _with_headers(send: Send, more: dict[bytes, bytes]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(k, v) for k, v in message.get("headers", ()) if k.lower() not in more]
            message = {**message, "headers": [*kept, *more.items()]}
        await send(message)

    return sending
