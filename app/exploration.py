"""What lies behind a result, made ready in the background: "what if", and single tokens."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from itertools import combinations

import numpy as np

from app.attention_view import characters
from app.engine import Engine, NotReady
from app.followed import FollowedRecording
from app.outcome import Outcome
from app.sessions import Session
from app.task import Task
from skeletr.actions import ActionLog
from skeletr.explore import Explorer, Interval
from skeletr.heads import HeadCharacter
from skeletr.pipeline import Cancelled
from skeletr.token_attention import WindowAttention

_LOG = logging.getLogger(__name__)
_FORESEEN = 6  # people, each and together
# Sequences of all windows that are related before they are asked for: each of six people in ten
# minutes, and some pairs. An explorer has room for more, which is for what is asked then.
_AHEAD = 250_000
_PART = 5.0  # seconds of video that are asked about at once, so that others get their turn
_LOOK = 0.2  # seconds between two looks at whether somebody still asks
_Question = tuple[tuple[int, ...], Interval | None]  # whom and when to leave out
Note = Callable[[float], None]  # told of the share that is done, 0 to 1; may raise to end it


def _quiet(share: float) -> None:
    pass


class Exploration:
    """One outcome, to be asked about.

    The recording is recognised once more, without decoding and poses, which takes a few
    milliseconds per second of video and person; it works for an opened session too.

    Attributes:
        ready: set when it can be asked, or cannot. share: how much of the way there is done, 0 to
            1. problem: why it cannot. may_try_again: whether
            that may pass. question: what is asked and not yet answered, see `what_if_busy`.
        ended: set when the page shows something else.
    """

    def __init__(self, engine: Engine, outcome: Outcome) -> None:
        self.outcome = outcome
        self.ready = threading.Event()
        self.share = 0.0
        self.problem = ""
        self.may_try_again = False
        self.question: Task | None = None
        self.ended = threading.Event()
        self._engine = engine
        self._explorer: Explorer | None = None
        self._window: tuple[float, WindowAttention | None] | None = None
        self._before: ActionLog | None = None  # with nothing left out
        # How much had been forgotten when it was asked, of these moments or of all.
        self._related: dict[tuple[_Question, Interval | None], int] = {}
        self._nobody_asks = threading.Event()
        self._nobody_asks.set()
        self._thread = threading.Thread(target=self._run, daemon=True, name="exploration")

    def start(self) -> None:
        """Begin in a thread of its own; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 0.0) -> None:
        """Give up what is still to be prepared, and wait for that at most `timeout` seconds."""
        self.ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        if self.question is not None:
            self.question.wait(timeout)

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
            recording = FollowedRecording.of(self.outcome.result.recording, self._tell)
            self._explorer = self._engine.explorer(recording, self.ended, self.outcome.taught)
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

    def _tell(self, share: float) -> None:
        self.share = share

    def without(
        self, people: Collection[int], interval: Interval | None, note: Note = _quiet
    ) -> tuple[ActionLog, ActionLog] | None:
        """As it was, and without somebody or a while; None before it is ready.

        Of a while only the moments that may change are in both.

        Args:
            note: told how far it is, where that is not known yet; what it raises ends the question.

        Raises `NotReady` where the model cannot be asked just now.
        """
        explorer = self._explorer
        if explorer is None:
            return None
        during = None if interval is None else explorer.reach(interval)
        as_it_was, question = ((), None), (tuple(sorted(people)), interval)
        with self._asking():
            self._relate(explorer, (as_it_was, question), during, note)
        if during is None:
            before = self._before = self._before or explorer.without()
        else:
            before = explorer.without(during=during)
        return before, explorer.without(*question, during)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """What is looked at ahead waits meanwhile."""
        self._nobody_asks.clear()
        try:
            yield
        finally:
            self._nobody_asks.set()

    def _foresee(self, explorer: Explorer) -> None:
        """Relate what is asked for most, so that the answer is there at once: with everybody,
        without one, without two and so on, as long as there is room."""
        tracks = self.outcome.result.log.people
        longest = sorted(tracks, key=lambda p: -len(tracks[p].times))[:_FORESEEN]
        with suppress(Cancelled):
            for count in range(len(longest) + 1):
                for people in combinations(sorted(longest), count):
                    if explorer.remembered > _AHEAD:
                        return
                    self._relate(explorer, ((people, None),), None, self._give_way)

    def _give_way(self, share: float) -> None:
        while not self._nobody_asks.wait(_LOOK) and not self.ended.is_set():
            pass
        if self.ended.is_set():
            raise Cancelled("the page shows something else")

    def _relate(
        self,
        explorer: Explorer,
        questions: Collection[_Question],
        during: Interval | None,
        note: Note,
    ) -> None:
        """Part by part, so that others get their turn."""
        missing = [q for q in questions if not self._is_related(explorer, q, during)]
        parts = self._parts(during)
        for number, question in enumerate(missing):
            for done, part in enumerate(parts):
                note((number + done / len(parts)) / len(missing))
                explorer.without(*question, during=part)
            self._related[question, during] = explorer.forgotten

    def _is_related(self, explorer: Explorer, question: _Question, during: Interval | None) -> bool:
        known = (self._related.get((question, part)) for part in (during, None))
        return explorer.forgotten in known

    def _parts(self, during: Interval | None) -> list[Interval]:
        """The moments that are wanted, in order, a few seconds at once."""
        scene = self.outcome.result.log.scene
        begin, end = during or (scene.start, scene.end)
        begin, end = max(begin, scene.start), min(end, scene.end)
        starts = np.arange(begin, end, _PART).tolist()
        return [(start, min(start + _PART, end)) for start in starts]


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
