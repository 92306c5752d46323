"""What lies behind a result, made ready in the background: "what if", and single tokens."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection
from contextlib import suppress
from functools import cached_property
from itertools import combinations

import numpy as np

from app.attention_view import characters
from app.engine import Engine, NotReady
from app.outcome import Outcome
from app.sessions import Session
from skeletr.actions import ActionLog
from skeletr.explore import Explorer, Interval
from skeletr.heads import HeadCharacter
from skeletr.token_attention import WindowAttention

_LOG = logging.getLogger(__name__)
_FORESEEN = 6  # people, each and together
_AHEAD = 100_000  # sequences of all windows that are related before they are asked for
# Whom and when to leave out, and which moments are wanted.
_Question = tuple[tuple[int, ...], Interval | None, Interval | None]
_PART = 5.0  # seconds of video that are asked about at once, so that others get their turn


class Exploration:
    """One outcome, to be asked about. `ready` tells when it can; `problem` why it cannot, and
    `may_try_again` whether that may pass.

    The recording is recognised once more, without decoding and poses, which takes a few
    milliseconds per second of video and person; it works for an opened session too.
    """

    def __init__(self, engine: Engine, outcome: Outcome) -> None:
        self.outcome = outcome
        self.ready = threading.Event()
        self.problem = ""
        self.may_try_again = False
        self._engine = engine
        self._explorer: Explorer | None = None
        self._stop = threading.Event()
        self._window: tuple[float, WindowAttention | None] | None = None
        self._before: ActionLog | None = None  # with nothing left out
        self._related: dict[_Question, int] = {}  # how much had been forgotten when it was asked
        self._thread = threading.Thread(target=self._run, daemon=True, name="exploration")

    def start(self) -> None:
        """Begin in a thread of its own; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 0.0) -> None:
        """Give up what is still to be prepared, and wait for that at most `timeout` seconds."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def explorer(self, timeout: float | None = None) -> Explorer | None:
        """What can be asked; None where it is not ready in time or cannot be had."""
        self.ready.wait(timeout)
        return self._explorer

    def attention(self, time: float) -> WindowAttention | None:
        """All attention of the window nearest to `time`; None before it is ready.

        Raises `NotReady` where the model cannot be asked just now.
        """
        if self._explorer is None:
            return None
        known = self._window
        if known is None or known[0] != time:
            known = self._window = (time, self._explorer.attention(time))
        return known[1]

    @cached_property
    def characters(self) -> dict[tuple[int, int], tuple[HeadCharacter, float]]:
        """See `attention_view.characters`."""
        return characters(self.outcome.result.log)

    def _run(self) -> None:
        try:
            self._explorer = self._engine.explorer(
                self.outcome.result.recording, self._stop, self.outcome.taught
            )
        except NotReady as error:
            self.problem, self.may_try_again = str(error), True
        except Exception:
            _LOG.exception("a result could not be made ready to be asked about")
            self.problem = "This result cannot be asked about because of a fault in this program."
        finally:
            self.ready.set()
        if self._explorer is not None:
            with suppress(NotReady):  # who asks later is told
                self._foresee(self._explorer)

    def without(
        self, people: Collection[int], interval: Interval | None
    ) -> tuple[ActionLog, ActionLog] | None:
        """As it was, and without somebody or a while; None before it is ready.

        Of a while only the moments that may change are in both.

        Raises `NotReady` where the model cannot be asked just now.
        """
        explorer = self._explorer
        if explorer is None:
            return None
        during = None if interval is None else explorer.reach(interval)
        found = []
        for question in (((), None), (tuple(people), interval)):
            self._relate(explorer, *question, during)
            if during is None and question == ((), None):
                self._before = self._before or explorer.without()
                found.append(self._before)
            else:
                found.append(explorer.without(*question, during))
        return found[0], found[1]

    def _foresee(self, explorer: Explorer) -> None:
        """Relate what is asked for most, so that the answer is there at once: with everybody,
        without one, without two and so on, as long as there is room."""
        tracks = self.outcome.result.log.people
        longest = sorted(tracks, key=lambda p: -len(tracks[p].times))[:_FORESEEN]
        for count in range(len(longest) + 1):
            for people in combinations(sorted(longest), count):
                if explorer.remembered > _AHEAD or self._stop.is_set():
                    return
                self._relate(explorer, people, None)

    def _relate(
        self,
        explorer: Explorer,
        people: Collection[int],
        interval: Interval | None,
        during: Interval | None = None,
    ) -> None:
        """Part by part, so that others get their turn."""
        question, whole = ((tuple(sorted(people)), interval, part) for part in (during, None))
        if explorer.forgotten in (self._related.get(question), self._related.get(whole)):
            return  # all of it is known
        scene = self.outcome.result.log.scene
        begin, end = during or (scene.start, scene.end)
        begin, end = max(begin, scene.start), min(end, scene.end)
        for start in np.arange(begin, end, _PART).tolist():
            if self._stop.is_set():
                return
            explorer.without(people, interval, during=(start, min(start + _PART, end)))
        self._related[question] = explorer.forgotten


class Explorations:
    """The exploration of each open page; its session ends it, or what the page shows next."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()

    def of(self, session: Session) -> Exploration | None:
        """That of what the page shows, begun on first use, and once more where the model could not
        be asked the last time; None where it shows nothing."""
        outcome = session.outcome
        with self._lock:
            known = session.exploration
            if known is not None and known.outcome is outcome and not known.may_try_again:
                return known
            if known is not None:
                known.stop()
                session.exploration = None
            if outcome is None or outcome.result is None:
                return None
            made = session.exploration = Exploration(self._engine, outcome)
            made.start()
        return made
