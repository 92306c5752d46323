"""Learns labels from examples on the shared model; one for all visitors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass

from app.engine import Engine, NotReady
from skeletr.checkpoint import Checkpoint
from skeletr.taught_background import Background, background_part, background_scenes
from skeletr.taught_head import Example, LeaveOneOut, Shown, TaughtHead, look_at
from skeletr.teach import TaughtActions, TeachError
from skeletr.video import VideoLimits


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Learned:
    """head: the labels, for a recogniser. tried: how well the examples are told apart."""

    head: TaughtHead
    tried: LeaveOneOut


class Teacher:
    """Learns for all visitors on the one shared model."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._background: Background | None = None
        self._prepared = threading.Event()

    @property
    def labels(self) -> tuple[str, ...]:
        """What the model knows already."""
        return self._engine.labels

    @property
    def limits(self) -> VideoLimits:
        """What is accepted of a file."""
        return self._engine.settings.limits

    def look(self, example: Example, note: Callable[[], None] = _nothing) -> Shown:
        """What the model makes of an example, bit by bit, so that others get their turn.

        Args:
            note: called before each bit; what it raises ends the look.

        Raises:
            TeachError, NotReady: it cannot be learned from.
        """

        def turn() -> AbstractContextManager[Checkpoint]:
            note()
            return self._engine.model()

        with turn() as checkpoint:  # it stays the same
            pass
        try:
            return look_at(example, checkpoint, turn)
        except ValueError as error:
            raise TeachError(f"An example {error}.") from error

    def learn(self, actions: TaughtActions, shown: list[Shown]) -> Learned:
        """Labels from what the model made of the examples. Raises `NotReady`."""
        background = self._others()
        with self._engine.model() as checkpoint:
            head = TaughtHead(checkpoint, shown, actions.settings, background)
            return Learned(head, head.leave_one_out())

    def prepare(self) -> None:
        """Begin with what is needed for the first example, in the background; once is enough.

        Seconds of work: ask for it early, because it slows a take down.
        """
        if not self._prepared.is_set():
            self._prepared.set()
            threading.Thread(target=self._prepare, daemon=True, name="teacher").start()

    def _prepare(self) -> None:
        with suppress(NotReady):  # said where something is learned
            self._others()

    def _others(self) -> Background:
        """What is not taught; made once, scene by scene, so that others get their turn."""
        with self._lock:
            if self._background is None:
                parts = []
                for scene in background_scenes():
                    with self._engine.model() as checkpoint:
                        parts.append(background_part(checkpoint, scene))
                self._background = Background.of(parts)
            return self._background
