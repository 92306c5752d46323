"""What a visitor shows: names, questions about whom, and what cannot be learned from."""

from __future__ import annotations

import numpy as np
import pytest

from app import teach_view
from app.sessions import Session
from app.teacher import Teacher
from app.teaching import long_seen
from skeletr.pipeline import Cancelled
from skeletr.recording import Frame, Recording
from skeletr.teach import TeachError
from tests.app.teaching.lessons import TIMES, one, two
from tests.synthetic import scene


def test_an_example_of_one_person_is_learned_at_once(session: Session, teacher: Teacher) -> None:
    mine = session.teaching
    assert mine.taught is None
    assert "Example 1 of “juggle” was learned" in mine.offer(teacher, " juggle ", one())
    assert mine.taught.names == ("juggle",) and mine.learned.tried.accuracy == {}
    mine.offer(teacher, "Juggle", one())  # the same, whatever its case
    assert mine.actions.count("juggle") == 2 and mine.learned.tried.accuracy["juggle"] <= 1
    mine.use = False
    assert mine.taught is None


def test_several_people_are_asked_about(session: Session, teacher: Teacher) -> None:
    mine = session.teaching
    assert "Pick who" in mine.offer(teacher, "juggle", two())
    assert mine.learned is None and mine.asked.people == (0, 1)
    shown = teach_view.question(mine.asked)
    assert 'data-pick="0"' in shown and 'data-pick="1"' in shown and shown.count("<svg") == 2
    mine.pick(teacher, 1)
    assert mine.asked is None and mine.actions.examples[0].person == 1
    mine.offer(teacher, "juggle", two())
    mine.pick(teacher, None)
    assert mine.actions.examples[1].person is None
    mine.offer(teacher, "juggle", two())
    with pytest.raises(TeachError):
        mine.pick(teacher, 7)
    mine.offer(teacher, "juggle", two())
    mine.skip()
    assert mine.asked is None and mine.actions.count("juggle") == 2


def test_who_passes_by_is_not_offered() -> None:
    frames = list(two().frames())
    brief = [Frame(f.time, f.people if i < 5 else f.people[:1]) for i, f in enumerate(frames)]
    assert long_seen(Recording.from_frames(brief, (640, 480))) == (0,)
    assert long_seen(scene([], TIMES)) == ()


@pytest.mark.parametrize("name", ["", "  ", "WALK", "run ", "x" * 41, "a\x00b"])
def test_names_that_cannot_be(session: Session, teacher: Teacher, name: str) -> None:
    with pytest.raises(TeachError) as error:
        session.teaching.offer(teacher, name, one())
    assert str(error.value).endswith(".")
    assert session.teaching.learned is None


def test_examples_that_cannot_be(session: Session, teacher: Teacher) -> None:
    with pytest.raises(TeachError, match="Nobody was seen"):
        session.teaching.offer(teacher, "juggle", scene([], TIMES))
    with pytest.raises(TeachError, match="too short"):
        session.teaching.offer(teacher, "juggle", one().between(0, 0.2))
    with pytest.raises(TeachError, match=r"Only 1\.0 frames per second"):
        session.teaching.offer(teacher, "juggle", scene([150], np.arange(5.0)))
    assert not session.teaching.actions.examples


def test_deleting_and_forgetting(session: Session, teacher: Teacher) -> None:
    mine = session.teaching
    mine.offer(teacher, "juggle", one())
    mine.offer(teacher, "bounce", one())
    mine.remove(teacher, 0)
    assert mine.taught.names == ("bounce",)
    with pytest.raises(TeachError, match="no longer there"):
        mine.remove(teacher, 5)
    mine.remove(teacher, 0)
    assert mine.taught is None and mine.file() is None
    mine.offer(teacher, "juggle", one())
    mine.clear()
    assert mine.taught is None and not mine.actions.examples


def test_a_question_that_is_given_up_is_asked_again(session: Session, teacher: Teacher) -> None:
    mine = session.teaching
    mine.offer(teacher, "juggle", two())

    def give_up(share: float) -> None:
        raise Cancelled("stopped on request")

    with pytest.raises(Cancelled):
        mine.pick(teacher, 1, give_up)
    assert mine.asked.people == (0, 1) and mine.actions.examples == ()


def test_names_are_escaped(session: Session, teacher: Teacher) -> None:
    name = '<img src=x onerror="y">'
    session.teaching.offer(teacher, name, one())
    session.teaching.offer(teacher, name, two())
    shown = teach_view.examples(session.teaching) + teach_view.question(session.teaching.asked)
    assert "<img" not in shown and shown.count("&lt;img") >= 2
