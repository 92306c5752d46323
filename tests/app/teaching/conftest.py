"""One visitor who teaches, on an untrained model."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import teacher as teacher_module
from app.engine import Engine
from app.sessions import Session, Sessions
from app.settings import AppSettings
from app.teacher import Teacher
from app.vault import Vault
from skeletr.synthetic.babble import babble
from tests.app.fakes import FakePose, untrained


@pytest.fixture(scope="module")
def engine() -> Engine:
    made = Engine(AppSettings(), untrained, lambda options: FakePose())
    made.wait(60)
    return made


@pytest.fixture(scope="module")
def teacher(engine: Engine) -> Teacher:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(teacher_module, "background_scenes", lambda: babble(4))
        made = Teacher(engine)
        made._others()
    return made


@pytest.fixture
def sessions(engine: Engine, tmp_path: Path) -> Sessions:
    return Sessions(engine, Vault(tmp_path / "files", 3600))


@pytest.fixture
def session(sessions: Sessions) -> Session:
    return sessions.get("a")
