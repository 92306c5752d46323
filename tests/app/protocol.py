"""Talk to the app the way that its page does, without a browser."""

from __future__ import annotations

import base64
import json
import secrets
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import cv2
import gradio as gr
import httpx
import numpy as np

PATIENCE = 120.0  # seconds for an answer, on a machine that does other work


def camera_picture(size: tuple[int, int] = (160, 120)) -> dict:
    """A picture as the page sends it."""
    data = cv2.imencode(".jpg", np.full((size[1], size[0], 3), 90, np.uint8))[1]
    return {"url": "data:image/jpeg;base64," + base64.b64encode(data).decode()}


class Page:
    """An open page: its session, its heartbeat and its requests."""

    def __init__(self, blocks: gr.Blocks) -> None:
        self.key = secrets.token_hex(8)
        self._blocks = blocks
        self._api = blocks.local_url.rstrip("/") + "/gradio_api"
        self._http = httpx.Client(timeout=PATIENCE)
        self._heartbeat = self._begin_heartbeat()

    def close(self) -> None:
        """The tab is closed, or the browser vanishes: the server sees no more than this."""
        self._heartbeat.close()
        self._http.close()

    def vanish(self) -> None:
        """The process of the browser is killed: its connections are reset."""
        self._heartbeat.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def get(self, path: str) -> httpx.Response:
        """A file or page below `/gradio_api`."""
        return self._http.get(self._api + path)

    def upload(self, path: Path, name: str) -> httpx.Response:
        """Give the server a file."""
        with path.open("rb") as file:
            return self._http.post(f"{self._api}/upload", files={"files": (name, file)})

    def join(self, function: str, data: list) -> str:
        """Ask for a function of the page; the id of the event."""
        indices = [i for i, f in self._blocks.fns.items() if f.name == function]
        body = {"fn_index": indices[0], "data": data, "session_hash": self.key}
        answer = self._http.post(f"{self._api}/queue/join", json=body)
        answer.raise_for_status()
        return answer.json()["event_id"]

    def messages(self) -> Iterator[dict]:
        """What the server tells this page."""
        address = f"{self._api}/queue/data?session_hash={self.key}"
        with self._http.stream("GET", address) as answer:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])

    def call(self, function: str, data: list) -> dict:
        """Ask for a function and wait for its end."""
        self.join(function, data)
        for message in self.messages():
            if message["msg"] == "process_completed":
                return message
        raise AssertionError(f"{function} never ended")

    def push(self, event: str, data: list) -> None:
        """The next picture of a camera that runs; it may come before the first was looked at."""
        body = {"data": data, "event_id": event, "session_hash": self.key}
        self._http.post(f"{self._api}/stream/{event}", json=body)

    def stop(self, event: str) -> None:
        """The camera is switched off."""
        self._http.post(f"{self._api}/stream/{event}/close")

    def _begin_heartbeat(self) -> socket.socket:
        """The connection that a page keeps open for as long as it is there."""
        address = httpx.URL(self._api)
        connection = socket.create_connection((address.host, address.port), PATIENCE)
        path = f"{address.path}/heartbeat/{self.key}"
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {address.host}\r\n\r\n".encode())
        received = b""
        while b"ALIVE" not in received:
            received += connection.recv(4096)
        return connection
