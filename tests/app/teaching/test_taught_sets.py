"""Sets of examples as files: saved, given to others, and refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.sessions import Session, Sessions
from app.teacher import Teacher
from app.teaching import MOST_EXAMPLES
from skeletr.teach import TaughtActions, TeachError
from tests.app.teaching.lessons import one, taught_files
from tests.synthetic import scene


def test_saved_loaded_by_another_visitor_and_gone_with_the_page(
    sessions: Sessions, teacher: Teacher, tmp_path: Path
) -> None:
    first, second = sessions.get("a"), sessions.get("b")
    first.teaching.offer(teacher, "juggle", one())
    assert second.teaching.taught is None
    file = first.teaching.file()
    shared = tmp_path / "shared.npz"
    shared.write_bytes(file.read_bytes())
    told = second.teaching.load(teacher, shared)
    assert told == "1 example of “juggle” was added."
    assert second.teaching.taught.names == ("juggle",)
    sessions.close("a")
    assert not file.exists() and first.teaching.taught is None
    assert second.teaching.taught is not None


def test_a_file_that_cannot_be_used_changes_nothing(
    session: Session, teacher: Teacher, tmp_path: Path
) -> None:
    mine = session.teaching
    mine.offer(teacher, "juggle", one())
    learned = mine.learned
    known, damaged, many = tmp_path / "known.npz", tmp_path / "bad.npz", tmp_path / "many.npz"
    TaughtActions().add("walk", one()).save(known)
    damaged.write_bytes(known.read_bytes()[:200])
    full = TaughtActions()
    for _ in range(MOST_EXAMPLES):
        full = full.add("bounce", one())
    full.save(many)
    for path, why in ((known, "knows “walk” already"), (damaged, "bad.npz"), (many, "the most")):
        with pytest.raises(TeachError, match=why):
            mine.load(teacher, path)
    assert mine.learned is learned


def test_a_set_has_the_limits_of_recordings(
    session: Session, teacher: Teacher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, path = one(), tmp_path / "set.npz"
    many = replace(
        few,
        frame=np.zeros(1200, np.int32),
        person=np.arange(1200, dtype=np.int32),
        keypoints=np.repeat(few.keypoints[:1], 1200, axis=0),
        boxes=np.repeat(few.boxes[:1], 1200, axis=0),
    )
    dense = scene([150], np.arange(40_000) / 1000)
    monkeypatch.setattr(teacher, "look", lambda *_: pytest.fail("it was looked at"))
    for recording, why in ((many, "1,200 people, the limit is 1,000"), (dense, "40000 frames")):
        TaughtActions().add("bounce", few).add("bounce", recording).save(path)
        with pytest.raises(TeachError, match=why) as error:
            session.teaching.load(teacher, path)
        assert str(error.value).startswith("set.npz") and session.teaching.learned is None


def test_nothing_is_learned_or_written_for_a_closed_page(
    sessions: Sessions, session: Session, teacher: Teacher, tmp_path: Path
) -> None:
    mine = session.teaching
    mine.offer(teacher, "juggle", one())
    assert mine.file().exists()
    mine.close()
    with pytest.raises(TeachError, match="closed"):
        mine.offer(teacher, "juggle", one())
    path = tmp_path / "late.npz"
    one().save(path)
    assert "late.npz was stopped" in taught_files([path], "juggle", mine, teacher, sessions)
    assert mine.file() is None and not list(sessions.vault.root.glob("visitor-*"))
