"""A graphics card without memory, wherever the model is asked: said, and all goes on afterwards.

The errors are those that PyTorch raises, with the texts that users report; there is no card here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from app import teacher as teacher_module
from app.engine import Engine, EngineState, NotReady
from app.exploration import Explorations
from app.job import Job
from app.live import LiveStream, LiveView
from app.settings import AppSettings, UserOptions
from app.teacher import Teacher
from skeletr.checkpoint import Checkpoint
from skeletr.explore import Explorer
from skeletr.recording import Recording
from skeletr.synthetic.babble import babble
from skeletr.taught_head import Example
from tests.app.fakes import FakePose, untrained
from tests.synthetic import scene

TIMES = np.arange(50) / 25
IMAGE = np.full((120, 160, 3), 90, np.uint8)
SAID = "The graphics card of the server has no memory left."
HINT = (
    "\nCUDA kernel errors might be asynchronously reported at some other API call, so the "
    "stacktrace below might be incorrect.\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1"
)
ERRORS = {
    "allocator": torch.OutOfMemoryError(
        "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 7.79 GiB "
        "of which 12.50 MiB is free. Including non-PyTorch memory, this process has 1.02 GiB "
        "memory in use. See documentation for Memory Management"
    ),
    "runtime": torch.AcceleratorError("CUDA error: out of memory" + HINT),
    "cublas": RuntimeError(
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"
    ),
    "cudnn 8": RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    "cudnn 9": RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
}
PLACES = ("skeletr.model.skeletr.SkeleTR.relate", "skeletr.model.fused.FusedSkeleTR.relate")


@pytest.fixture(params=ERRORS)
def error(request: pytest.FixtureRequest) -> RuntimeError:
    """Each way in which a card says that it is full."""
    return ERRORS[request.param]


@contextmanager
def full_card(error: RuntimeError) -> Iterator[list[None]]:
    """Computing on a card that is full; what is yielded grows with each time that it said so."""
    asked: list[None] = []

    def full(*_: object, **__: object) -> None:
        asked.append(None)
        raise error

    with pytest.MonkeyPatch.context() as patch:
        for place in PLACES:
            patch.setattr(place, full)
        yield asked


@pytest.fixture
def engine() -> Engine:
    made = Engine(AppSettings(), untrained, lambda options: FakePose())
    made.wait(60)
    return made


@pytest.fixture
def people() -> Recording:
    return scene([150, 450], TIMES)


def test_while_a_file_is_recognised(
    engine: Engine, people: Recording, tmp_path: Path, error: RuntimeError
) -> None:
    def job() -> Job:
        made = Job(engine, UserOptions("fake"), people, "people", tmp_path)
        made.start()
        assert made.wait(120)
        return made

    with full_card(error) as asked:
        assert job().outcome.problem.startswith(SAID) and asked
    assert not job().outcome.problem and len(engine._turns) == 0


def test_at_a_camera(engine: Engine, error: RuntimeError) -> None:
    live = LiveStream(engine, UserOptions("fake"))

    def play(begin: float) -> list[LiveView]:
        return [live.step(IMAGE, False, now=begin + i / 10) for i in range(40)]

    with full_card(error) as asked, pytest.raises(NotReady, match=SAID):
        play(0.0)
    assert asked
    assert any(p.label for p in play(10.0)[-1].actions.people.values())
    live.close()


def test_while_something_is_taught(
    engine: Engine, error: RuntimeError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teacher_module, "background_scenes", lambda: babble(4))
    teacher, example = Teacher(engine), Example("wave", scene([150], TIMES), (0,))
    with full_card(error) as asked:
        with pytest.raises(NotReady, match=SAID):
            teacher.look(example)
        with pytest.raises(NotReady, match=SAID):
            teacher._others()
        assert len(asked) == 2
    assert teacher.look(example) and teacher._others()


def test_while_a_result_is_asked_about(
    engine: Engine, people: Recording, error: RuntimeError
) -> None:
    stop = threading.Event()
    with full_card(error) as asked:
        with pytest.raises(NotReady, match=SAID):
            engine.explorer(people, stop)
        assert asked
    explorer = engine.explorer(people, stop)
    for question in (lambda: explorer.without([0]), lambda: _pair(explorer)):
        with full_card(error) as asked, pytest.raises(NotReady, match=SAID):
            question()
        assert asked and question()


def test_a_shown_result_can_be_asked_about_once_there_is_room_again(
    engine: Engine, people: Recording, tmp_path: Path, error: RuntimeError
) -> None:
    job = Job(engine, UserOptions("fake"), people, "people", tmp_path)
    job.start()
    assert job.wait(120)
    explorations = Explorations(engine)
    session = SimpleNamespace(outcome=job.outcome, exploration=None)
    with full_card(error) as asked:
        first = explorations.of(session)
        assert first.explorer(60) is None
        assert asked and first.problem.startswith(SAID)
    second = explorations.of(session)
    assert second.explorer(60) is not None and not second.problem
    assert explorations.of(session) is second
    second.stop(10)


def _pair(explorer: Explorer) -> object:
    return explorer.attention(1.0)


def test_at_the_start(error: RuntimeError, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.engine._RETRY", 0.0)
    cards = iter((error, None))

    def load(settings: AppSettings) -> Checkpoint:
        problem = next(cards)
        if problem is not None:
            raise problem
        return untrained(settings)

    engine = Engine(AppSettings(), load, lambda options: FakePose())
    with pytest.raises(NotReady, match=SAID):
        engine.wait(60)
    assert engine.state is EngineState.FAILED
    engine.wait(60)  # as soon as somebody asks again, without a restart
    assert engine.state is EngineState.READY
