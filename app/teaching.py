"""What one visitor taught: examples, what was learned from them, and those that wait for an answer.

It belongs to one open page, lies in memory, and is gone with the page unless it was saved.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.opening import OpenError, check_recording
from app.teacher import Learned, Teacher
from app.vault import Vault
from skeletr.pipeline import Cancelled
from skeletr.recording import Recording
from skeletr.taught_head import Example, Shown, TaughtHead
from skeletr.teach import LONGEST_NAME, TaughtActions, TeachError
from skeletr.video import VideoError, VideoLimits

if TYPE_CHECKING:
    from app.lesson import Lesson

FILE_NAME = "my-actions.npz"
MOST_EXAMPLES = 60  # of one visitor
_MOST_WAITING = 8  # examples of which the person is still to be picked
_MOST_OFFERED = 6  # people to choose from
_LONG = 0.3  # share of the frames in which somebody must be seen to be offered
_BRIEF = 0.5  # seconds of an example at least
_SLOWEST = 1.8  # frames per second at least; with fewer, sequences fall apart

# Told of the share that is done, 0 to 1; may raise `Cancelled`, which leaves all as it was.
Note = Callable[[float], None]


def _quiet(share: float) -> None:
    pass


@dataclass(frozen=True)
class Asked:
    """An example with several people: whom does `name` belong to?"""

    name: str
    recording: Recording
    people: tuple[int, ...]


class Teaching:
    """One visitor's own actions; may be used from several threads.

    Attributes:
        use: whether Live and Video use them. closed: set when its page was closed.
        lesson: what is learned from files, or waits for its place. take: what is learned while the
            page waits for it, see `teach_busy`.
    """

    def __init__(self, vault: Vault) -> None:
        self.use = True
        self.actions = TaughtActions()
        self.learned: Learned | None = None
        self.lesson: Lesson | None = None
        self.take: Lesson | None = None
        self._shown: dict[Example, Shown] = {}
        self._asked: deque[Asked] = deque()
        self._vault = vault
        self._folder: Path | None = None
        self._lock = threading.RLock()
        self.closed = threading.Event()

    @property
    def taught(self) -> TaughtHead | None:
        """What a recogniser should know besides the model's labels."""
        learned = self.learned
        return learned.head if self.use and learned is not None else None

    @property
    def asked(self) -> Asked | None:
        """The example whose person is to be picked next."""
        return self._asked[0] if self._asked else None

    def offer(self, teacher: Teacher, name: str, recording: Recording, note: Note = _quiet) -> str:
        """One more example, or a question about whom it shows; what to tell the visitor.

        Raises:
            TeachError, NotReady: it cannot be learned from; the message says why.
        """
        name = self.checked(name, teacher.labels)
        people = long_seen(recording)
        if recording.end - recording.start < _BRIEF:
            raise TeachError(
                f"An example of {recording.end - recording.start:.1f} s is too short; expected "
                f"{_BRIEF:g} s or more."
            )
        rate = (len(recording.frame_times) - 1) / (recording.end - recording.start)
        if rate < _SLOWEST:
            raise TeachError(
                f"Only {rate:.1f} frames per second arrived, too few to learn from; expected "
                f"{_SLOWEST:g} or more. Close other programs, or drop a clip instead."
            )
        if not people:
            raise TeachError("Nobody was seen long enough. Step back until you are seen whole.")
        if len(people) == 1:
            return self._add(teacher, name, recording, people[0], note)
        with self._lock:
            if len(self._asked) >= _MOST_WAITING:
                raise TeachError("Too many examples wait for an answer; pick a person first.")
            self._asked.append(Asked(name, recording, people))
        return f"Several people were seen. Pick who shows “{name}”."

    def pick(self, teacher: Teacher, person: int | None, note: Note = _quiet) -> str:
        """Answer the question that is asked: one person, or None for all of them."""
        with self._lock:
            asked = self._asked.popleft() if self._asked else None
        if asked is None or (person is not None and person not in asked.people):
            raise TeachError("That example is no longer there.")
        try:
            return self._add(teacher, asked.name, asked.recording, person, note)
        except Cancelled:
            with self._lock:
                self._asked.appendleft(asked)
            raise

    def skip(self) -> None:
        """Leave the example out that is asked about."""
        with self._lock:
            if self._asked:
                self._asked.popleft()

    def checked(self, name: str, labels: tuple[str, ...]) -> str:
        """A name as it is kept: that of other examples where only the case differs.

        Raises:
            TeachError: it is empty, too long, or a label of the model.
        """
        tidy = " ".join(name.split())
        if not tidy:
            raise TeachError("Give the action a name first.")
        if len(tidy) > LONGEST_NAME or not tidy.isprintable():
            raise TeachError(f"A name must be text of {LONGEST_NAME} characters or fewer.")
        known = next((x for x in labels if x.casefold() == tidy.casefold()), None)
        if known is not None:
            raise TeachError(f"The model knows “{known}” already; choose another name.")
        return next((x for x in self.actions.names if x.casefold() == tidy.casefold()), tidy)

    def remove(self, teacher: Teacher, number: int, note: Note = _quiet) -> None:
        """Without an example, by its place among all of them."""
        with self._lock:
            examples = self.actions.examples
            if not 0 <= number < len(examples):
                raise TeachError("That example is no longer there.")
            kept = examples[:number] + examples[number + 1 :]
            self._become(teacher, replace(self.actions, examples=kept), note)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self.actions, self.learned = TaughtActions(), None
            self._shown.clear()
            self._asked.clear()
        self._remove_file()

    def load(self, teacher: Teacher, path: Path, note: Note = _quiet) -> str:
        """Add what a file holds; what to tell the visitor.

        Raises:
            TeachError, NotReady: the file cannot be used; nothing was changed.
        """
        loaded = TaughtActions.load(path)
        _check_limits(loaded, path.name, teacher.limits)
        with self._lock:
            merged = self.actions.examples
            for example in loaded.examples:
                name = self.checked(example.name, teacher.labels)
                merged = (*merged, Example(name, example.recording, example.person))
            if len(merged) > MOST_EXAMPLES:
                raise TeachError(
                    f"With this file there would be {len(merged)} examples; {MOST_EXAMPLES} is the "
                    "most this page takes."
                )
            self._become(teacher, TaughtActions(merged, loaded.settings), note)
        names = ", ".join(f"“{n}”" for n in loaded.names)
        count = len(loaded.examples)
        many = f"{count} examples of {names} were added."
        return many if count > 1 else f"1 example of {names} was added."

    def file(self) -> Path | None:
        """The set as a file, written anew; None where nothing was taught."""
        with self._lock:
            if not self.actions.examples or self.closed.is_set():
                self._remove_file()
                return None
            if self._folder is None:
                self._folder = self._vault.new_folder()
            self._folder.mkdir(mode=0o700, exist_ok=True)
            path = self._folder / FILE_NAME
            self.actions.save(path)
            return path

    def refresh_file(self) -> None:
        """Begin the age of the file anew, because its page is open."""
        self._vault.refresh(self, self._folder)
        if self.lesson is not None:
            self._vault.refresh(self.lesson, None)

    def drop_lesson(self) -> bool:
        """Stop what is learned from files, and let go of those; whether it had not begun yet."""
        lesson = self.lesson
        if lesson is None:
            return False
        lesson.stop.set()
        if lesson.started:  # it lets go of them itself, in a moment
            return False
        self.lesson = None
        self._vault.release(lesson)
        return True

    def close(self) -> None:
        """Forget everything, for good."""
        self.closed.set()
        self.drop_lesson()
        self.clear()

    def _add(
        self, teacher: Teacher, name: str, recording: Recording, person: int | None, note: Note
    ) -> str:
        with self._lock:
            if len(self.actions.examples) >= MOST_EXAMPLES:
                raise TeachError(f"{MOST_EXAMPLES} examples are there already; delete some first.")
            self._become(teacher, self.actions.add(name, recording, person), note)
            count = self.actions.count(name)
        more = "" if count > 1 else " Show it once or twice more, a little differently each time."
        return f"Example {count} of “{name}” was learned.{more}"

    def _become(self, teacher: Teacher, actions: TaughtActions, note: Note) -> None:
        """Take over other examples, once they are learned; all stays as it was where that fails."""
        if self.closed.is_set():
            raise TeachError("This page was closed.")
        new = [e for e in actions.examples if e not in self._shown]
        looked = {}
        for done, example in enumerate(new):
            looked[example] = teacher.look(example, partial(note, done / (len(new) + 1)))
        note(len(new) / (len(new) + 1))
        shown = {e: self._shown.get(e) or looked[e] for e in actions.examples}
        learned = teacher.learn(actions, list(shown.values())) if shown else None
        self.actions, self.learned, self._shown = actions, learned, shown

    def _remove_file(self) -> None:
        with self._lock:
            if self._folder is not None:
                self._vault.remove(self._folder)
                self._folder = None


def _check_limits(actions: TaughtActions, name: str, limits: VideoLimits) -> None:
    """Raise `TeachError` where an example of a stranger's file breaks a limit of recordings."""
    try:
        for example in actions.examples:
            check_recording(example.recording, name, limits)
    except (OpenError, VideoError) as error:
        raise TeachError(str(error)) from error


def long_seen(recording: Recording) -> tuple[int, ...]:
    """Who is seen in enough of a recording to be learned from, whom most first."""
    ids, counts = np.unique(recording.person, return_counts=True)
    least = _LONG * max(len(recording.frame_times), 1)
    order = np.argsort(-counts, kind="stable")
    return tuple(int(ids[i]) for i in order if counts[i] >= least)[:_MOST_OFFERED]
