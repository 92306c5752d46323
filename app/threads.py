"""Threads for what may take long, so that it cannot take those that everything else needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

T = TypeVar("T")

_EXPLORING = 16  # questions about results at once: each may wait a minute for the model
_LOOKING = 8  # files at once: two are looked at, the others wait for two seconds at most


class Threads:
    """So many threads for each kind of work; more of it waits without a thread.

    Args:
        cameras: whose pictures are recognised at once.
    """

    def __init__(self, cameras: int) -> None:
        self._frames = CapacityLimiter(cameras)
        self._at_work: set[str] = set()  # pages with a picture
        self._exploring = CapacityLimiter(_EXPLORING)
        self._looking = CapacityLimiter(_LOOKING)

    async def frame(self, page: str, work: Callable[..., T], *given: object) -> T | None:
        """Do what a camera picture asks for; None, at once, while the page's one before is at work.

        Those that waited for each other would hold a thread each. Call it in the server's thread.
        """
        if page in self._at_work:
            return None
        self._at_work.add(page)
        try:
            return await to_thread.run_sync(work, *given, limiter=self._frames)
        finally:
            self._at_work.discard(page)

    def exploring(self, event: Callable[..., T]) -> Callable[..., Awaitable[T]]:
        """The same event of a page, which asks something about a result."""
        return _apart(event, self._exploring)

    def looking(self, event: Callable[..., T]) -> Callable[..., Awaitable[T]]:
        """The same event of a page, which looks at a visitor's file."""
        return _apart(event, self._looking)


def _apart(event: Callable[..., T], limiter: CapacityLimiter) -> Callable[..., Awaitable[T]]:
    @wraps(event)  # Gradio reads its name, and what its arguments are
    async def apart(*given: object, **named: object) -> T:
        return await to_thread.run_sync(partial(event, *given, **named), limiter=limiter)

    return apart
