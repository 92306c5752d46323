"""Short recordings to teach with, and files that are learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.sessions import Sessions
from app.settings import UserOptions
from app.teach_files import lesson_from_files
from app.teacher import Teacher
from app.teaching import Teaching
from skeletr.recording import Recording
from tests.synthetic import scene

OPTIONS = UserOptions("fake")
TIMES = np.arange(50) / 25


def one() -> Recording:
    return scene([150], TIMES)


def two() -> Recording:
    return scene([150, 450], TIMES)


def taught_files(
    paths: list[Path], name: str, mine: Teaching, teacher: Teacher, sessions: Sessions
) -> str:
    lesson = lesson_from_files(paths, name, mine, teacher, sessions)
    lesson.start()
    assert lesson.wait(60)
    return lesson.told
