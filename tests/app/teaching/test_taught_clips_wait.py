"""Clips while they wait for their turn or are learned from: how far they are, and a way out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.sessions import Sessions
from app.settings import AppSettings
from app.teach_files import lesson_from_files
from app.teacher import Teacher
from app.teaching import Teaching
from tests.app.teaching.lessons import one, two


def test_how_far_the_files_are_is_told(
    sessions: Sessions, teacher: Teacher, tmp_path: Path, make_video
) -> None:
    mine = sessions.get("a").teaching
    still = (np.full((120, 160, 3), i, np.uint8) for i in range(40))
    paths = [make_video("clip.mp4", still), tmp_path / "two.npz"]
    two().save(paths[1])
    lesson, told = lesson_from_files(paths, "juggle", mine, teacher, sessions), []
    note = lesson.note
    lesson.note = lambda *args: (note(*args), told.append((*args, lesson.bar)))
    lesson.start()
    assert lesson.wait(60) and lesson.told.count("sk-note") == 2
    shares = [share for _, _, share, _ in told]
    assert shares == sorted(shares) and 0 <= shares[0] < 0.1 and shares[-1] == 0.95
    assert {name for name, *_ in told} == {"clip.mp4 (1 of 2)", "two.npz (2 of 2)"}
    assert {doing for _, doing, *_ in told} == {"Looking at", "Learning from"}
    assert len(told) > 10  # also while a clip is looked at
    assert "about 0:0" in told[-1][3] and 'aria-valuenow="95"' in told[-1][3]


def test_what_is_learned_from_files_can_be_stopped(
    sessions: Sessions, teacher: Teacher, tmp_path: Path
) -> None:
    mine = sessions.get("a").teaching
    paths = [tmp_path / f"{i}.npz" for i in range(4)]
    for path in paths:
        one().save(path)
    lesson = mine.lesson = lesson_from_files(paths, "juggle", mine, teacher, sessions)
    note = lesson.note

    def stop_at_the_second(name: str, doing: str, share: float) -> None:
        note(name, doing, share)
        if share > 0.25:
            assert not mine.drop_lesson()  # it runs, and says itself what came of it

    lesson.note = stop_at_the_second
    lesson.start()
    assert lesson.wait(60)
    assert "1.npz was stopped. 2 more left out. What was learned before stays." in lesson.told
    assert mine.actions.count("juggle") == 1


def test_files_that_wait_are_kept_and_let_go_when_given_up(
    sessions: Sessions, teacher: Teacher
) -> None:
    path = sessions.vault.root / "folder" / "clip.npz"
    for give_up in (lambda mine: mine.drop_lesson(), lambda mine: mine.close()):
        path.parent.mkdir(parents=True, exist_ok=True)
        one().save(path)
        mine = Teaching(sessions.vault)
        mine.lesson = lesson_from_files([path], "juggle", mine, teacher, sessions)
        sessions.vault.release(object())
        assert path.exists()
        give_up(mine)
        assert mine.lesson is None and not path.exists()


def test_clips_are_looked_at_before_it_is_their_turn(
    sessions: Sessions, teacher: Teacher, tmp_path: Path
) -> None:
    mine, limits = sessions.get("a").teaching, AppSettings().limits
    bad, good = tmp_path / "<b>.mp4", tmp_path / "good.npz"
    bad.write_text("Dear all")
    one().save(good)
    lesson = lesson_from_files([bad, bad], "juggle", mine, teacher, sessions)
    assert not lesson.told_at_once  # nobody has looked yet
    lesson.look(sessions.checks, limits)
    assert lesson.told_at_once.count("&lt;b&gt;.mp4 is not a video") == 2
    lesson = lesson_from_files([bad, good], "juggle", mine, teacher, sessions)
    lesson.look(sessions.checks, limits)
    assert not lesson.told_at_once
    lesson.start()
    assert lesson.wait(60)
    assert "is not a video" in lesson.told and "was learned" in lesson.told
