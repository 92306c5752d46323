"""What is learned while the page waits: how far it is, a way out, and turns for others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from app import teach_busy
from app.engine import Engine
from app.lesson import Lesson
from app.sessions import Session
from app.teacher import Teacher
from skeletr.pipeline import Cancelled
from skeletr.taught_head import Example
from skeletr.teach import TaughtActions
from tests.app.teaching.lessons import one
from tests.synthetic import scene


def test_a_fault_while_learning_is_told() -> None:
    lesson = Lesson(lambda lesson: 1 / 0, threading.Event())
    lesson.start()
    assert lesson.wait(60) and "fault in this program" in lesson.told


_PARTS = ("now", "timer", "told", "question", "examples", "save", "cancel")


@pytest.fixture
def ui() -> SimpleNamespace:
    return SimpleNamespace(**{name: name for name in _PARTS})


def test_while_a_take_is_learned_from_it_is_said_and_then_what_came_of_it(
    session: Session, ui: SimpleNamespace
) -> None:
    mine, go_on = session.teaching, threading.Event()
    going = teach_busy.begin(ui, mine, "“<juggle>”", "Learning", lambda note: str(go_on.wait(60)))
    assert "Learning" in going["now"] and going["timer"].active and going["cancel"]["visible"]
    assert "sk-progress" in going["told"] and "Learning “&lt;juggle&gt;”" in going["told"]
    go_on.set()
    assert mine.take.wait(60)
    done = teach_busy.progress(ui, mine)
    assert done["now"] == "" and not done["timer"].active and "True" in done["told"]
    assert not done["cancel"]["visible"]
    assert mine.take is None and "now" not in teach_busy.progress(ui, mine)


def test_what_takes_long_says_how_far_it_is_and_can_be_given_up(
    session: Session, teacher: Teacher, ui: SimpleNamespace, monkeypatch, tmp_path: Path
) -> None:
    mine, path = session.teaching, tmp_path / "set.npz"
    actions = TaughtActions().add("juggle", one()).add("juggle", one()).add("hop", one())
    actions.save(path)
    looked, go_on = threading.Semaphore(0), threading.Semaphore(0)
    look = teacher.look

    def slow(example: Example, note: Callable[[], None]) -> object:
        note()
        looked.release()
        assert go_on.acquire(timeout=60)
        return look(example)

    monkeypatch.setattr(teacher, "look", slow)
    teach_busy.begin(
        ui, mine, path.name, "Learning from", lambda note: mine.load(teacher, path, note)
    )
    for done in range(2):
        assert looked.acquire(timeout=60)
        going = teach_busy.progress(ui, mine)
        assert f'aria-valuenow="{25 * done}"' in going["told"] and "set.npz" in going["told"]
        if done == 0:
            go_on.release()
    teach_busy.stop(mine)
    go_on.release()
    assert mine.take.wait(60)
    assert "Your examples are as they were." in teach_busy.progress(ui, mine)["told"]
    assert mine.actions.examples == () and mine.taught is None


def test_others_get_their_turn_within_an_example_and_it_can_be_stopped_there(
    engine: Engine, teacher: Teacher
) -> None:
    crowd = Example("juggle", scene([30.0 * i for i in range(20)], np.arange(100) / 25))
    turns: list[bool] = []

    def other() -> None:
        with engine.model():
            turns.append(True)

    def let_go() -> None:
        if len(turns) == 4:
            raise Cancelled("stopped on request")
        waiting = threading.Thread(target=other, daemon=True)
        waiting.start()
        waiting.join(60)

    with pytest.raises(Cancelled):
        teacher.look(crowd, let_go)
    assert len(turns) == 4 and not engine.waiting


def test_an_example_in_bits_is_seen_like_a_whole_one(
    teacher: Teacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = Example("juggle", scene([100, 300], np.arange(100) / 25))
    whole = teacher.look(example)
    monkeypatch.setattr("skeletr.taught_features._PIECE", 3)
    bits = teacher.look(example)
    assert len(whole.features) > 6
    assert np.allclose(whole.features, bits.features, atol=1e-5)
    assert np.allclose(whole.scores, bits.scores, atol=1e-5)


def test_one_after_the_other_is_learned_and_nothing_of_it_is_lost(
    session: Session, ui: SimpleNamespace
) -> None:
    mine, go_on = session.teaching, threading.Event()
    teach_busy.begin(ui, mine, "a", "Learning", lambda note: f"First {go_on.wait(60)}.")
    teach_busy.begin(ui, mine, "b", "Learning", lambda note: f"Second {go_on.is_set()}.")
    go_on.set()
    assert mine.take.wait(60)
    told = teach_busy.progress(ui, mine)["told"]
    assert told.index("First True.") < told.index("Second True.")
