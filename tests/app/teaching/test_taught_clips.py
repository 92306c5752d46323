"""Clips and recordings as examples: what is taken, and what is said about the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.engine import Engine
from app.sessions import Sessions
from app.settings import AppSettings, UserOptions
from app.teach_files import MOST_FILES, lesson_from_files
from app.teacher import Teacher
from app.vault import Vault
from tests.app.fakes import FakePose, untrained
from tests.app.teaching.lessons import TIMES, one, taught_files
from tests.synthetic import scene


def test_a_part_of_something_long_is_an_example(
    sessions: Sessions, teacher: Teacher, tmp_path: Path
) -> None:
    path, mine = tmp_path / "late.npz", sessions.get("a").teaching
    scene([150], 100 + TIMES).save(path)
    lesson = lesson_from_files([path], "juggle", mine, teacher, sessions)
    lesson.look(sessions.checks, AppSettings().limits)
    assert not lesson.refused
    lesson.start()
    assert lesson.wait(60) and "was learned" in lesson.told


def test_a_long_recording_is_no_clip(sessions: Sessions, teacher: Teacher, tmp_path: Path) -> None:
    path, mine = tmp_path / "long.npz", sessions.get("a").teaching
    scene([150], np.arange(0, 90, 0.25)).save(path)
    lesson = lesson_from_files([path], "juggle", mine, teacher, sessions)
    lesson.look(sessions.checks, AppSettings().limits)
    lesson.start()
    assert lesson.wait(60) and "an example of 90 s" in lesson.told


def test_files_that_were_deleted_meanwhile_are_said_to_be_gone(
    sessions: Sessions, teacher: Teacher, tmp_path: Path
) -> None:
    mine, paths = sessions.get("a").teaching, [tmp_path / "a.mp4", tmp_path / "b.npz"]
    lesson = lesson_from_files(paths, "juggle", mine, teacher, sessions)
    lesson.look(sessions.checks, AppSettings().limits)
    assert lesson.told_at_once.count("is no longer on this server; give it again.") == 2
    told = taught_files(paths, "juggle", mine, teacher, sessions)
    assert told.count("is no longer on this server; give it again.") == 2


def test_recordings_are_examples_and_what_is_none_is_explained(
    sessions: Sessions, teacher: Teacher, tmp_path: Path
) -> None:
    mine = sessions.get("a").teaching
    good, bad = tmp_path / "good.npz", tmp_path / "<b>bad.npz"
    one().save(good)
    bad.write_bytes(b"PK nothing")
    told = taught_files([good, bad], "juggle", mine, teacher, sessions)
    assert "was learned" in told and "&lt;b&gt;bad.npz" in told and "<b>bad" not in told
    assert mine.actions.count("juggle") == 1
    assert "name first" in taught_files([good], "", mine, teacher, sessions)


def test_more_files_than_are_taken_are_said_to_be_left_out(
    sessions: Sessions, teacher: Teacher, tmp_path: Path
) -> None:
    path = tmp_path / "none.npz"
    path.write_bytes(b"nothing")
    mine = sessions.get("a").teaching
    told = taught_files([path] * (MOST_FILES + 3), "juggle", mine, teacher, sessions)
    assert "23 files were dropped; 20 at once is the most. Drop the last 3 again." in told
    assert told.count("none.npz") == MOST_FILES  # each is named once
    assert "at once" not in taught_files([path] * MOST_FILES, "juggle", mine, teacher, sessions)


def test_clips_are_followed_for_as_many_people_as_the_settings_say(
    tmp_path: Path, teacher: Teacher, make_video
) -> None:
    asked: list[UserOptions] = []
    settings = AppSettings(max_people=2)
    made = Engine(settings, untrained, lambda options: asked.append(options) or FakePose())
    made.wait(60)
    own = Sessions(made, Vault(tmp_path / "files", 3600))
    clip = make_video("few.mp4", (np.full((120, 160, 3), i, np.uint8) for i in range(5)))
    taught_files([clip], "juggle", own.get("a").teaching, teacher, own)
    assert asked[-1].max_people == 2


def test_a_clip_that_is_refused_costs_no_pose_model(
    tmp_path: Path, teacher: Teacher, make_video
) -> None:
    made: list[UserOptions] = []
    engine = Engine(AppSettings(), untrained, lambda options: made.append(options) or FakePose())
    engine.wait(60)
    made.clear()  # one is made at the start, to see whether it can be
    own = Sessions(engine, Vault(tmp_path / "files", 3600))
    letter = tmp_path / "letter.mp4"
    letter.write_text("Dear all")
    still = (np.full((120, 160, 3), i % 200, np.uint8) for i in range(650))
    mine, long = own.get("a").teaching, make_video("long.mp4", still)
    told = taught_files([letter, long], "juggle", mine, teacher, own)
    assert "letter.mp4 is not a video" in told and "long.mp4 is too long" in told
    assert not made
