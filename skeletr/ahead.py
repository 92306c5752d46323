"""Stages that work at the same time, each ahead of the next by no more than a few items."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from queue import Empty, Queue
from typing import TypeVar

T = TypeVar("T")

_WAIT = 0.05  # seconds between two looks whether a thread that is to stop has done so


@contextmanager
def ahead(items: Generator[T, None, None], most: int = 3) -> Iterator[Iterator[T]]:
    """The same items in the same order, made in a thread of their own.

    An error of `items` is raised where they are used. At the end of the block the thread has
    ended, whether or not all items were taken.

    Args:
        items: used and closed by the thread.
        most: items made before they are asked for; memory stays bounded.
    """
    line: Queue[tuple[T | None, BaseException | None]] = Queue(most)
    leave = threading.Event()

    def work() -> None:
        error: BaseException | None = StopIteration()
        try:
            with closing(items):
                for item in items:
                    line.put((item, None))
                    if leave.is_set():
                        break
        except BaseException as raised:  # handed on, whatever it is
            error = raised
        line.put((None, error))

    thread = threading.Thread(target=work, daemon=True, name="ahead")
    thread.start()
    try:
        yield _taken(line)
    finally:
        leave.set()
        while thread.is_alive():
            # Room for what it is about to hand over, after which it looks whether to stop.
            with suppress(Empty):
                line.get(timeout=_WAIT)


def _taken(line: Queue[tuple[T | None, BaseException | None]]) -> Iterator[T]:
    while True:
        item, error = line.get()
        if isinstance(error, StopIteration):
            return
        if error is not None:
            raise error
        yield item
