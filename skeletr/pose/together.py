"""Several calls of a network at the same time; the networks leave Python's lock while they run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Together:
    """Runs up to `parallel` calls at once; if that is 1, in order and without any thread."""

    def __init__(self, parallel: int) -> None:
        self._helpers = ThreadPoolExecutor(parallel, "pose") if parallel > 1 else None

    def run(self, calls: list[Callable[[], T]]) -> list[T]:
        """What the calls return, in their order. Raises what the first of them raises."""
        if self._helpers is None or len(calls) < 2:
            return [call() for call in calls]
        futures = [self._helpers.submit(call) for call in calls]
        return [future.result() for future in futures]

    def close(self) -> None:
        """End the threads. May be called twice."""
        if self._helpers is not None:
            self._helpers.shutdown(wait=True)
