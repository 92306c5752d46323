"""Settings that are changed while the camera runs, and who is blurred in its picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.engine import Engine
from app.live import LiveStream
from app.sessions import Sessions
from app.settings import AppSettings, UserOptions
from app.vault import Vault
from skeletr.recording import Person
from tests.app.fakes import untrained
from tests.synthetic import scene

RATE = 10
SIZE = (640, 480)
NOISE = np.random.default_rng(0).integers(0, 255, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
OPTIONS = UserOptions("fake")


class Played:
    """A pose frontend that sees what it is told."""

    def __init__(self, see: Callable[[int], tuple[Person, ...]]) -> None:
        self._see = see
        self._frame = -1

    def estimate(self, image: np.ndarray, time: float) -> tuple[Person, ...]:
        self._frame += 1
        return self._see(self._frame)

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass


def engine(see: Callable[[int], tuple[Person, ...]]) -> Engine:
    made = Engine(AppSettings(), untrained, lambda options: Played(see))
    made.wait(60)
    return made


def standing(x: float = 200.0, seed: int | None = None) -> Person:
    """Somebody with a head; with a seed every joint is off by some pixels."""
    joints = scene([x], np.zeros(1), image_size=SIZE).keypoints[0].copy()
    if seed is not None:
        noise = np.random.default_rng(seed).normal(0, 2, (17, 2))
        joints[:, :2] += noise * (joints[:, 2:] > 0)
    return Person.from_keypoints(joints)


def test_smoothing_is_changed_live_and_everybody_keeps_number_and_label() -> None:
    stream = LiveStream(engine(lambda i: (standing(150, i), standing(450, 1000 + i))), OPTIONS)

    def play(begin: int, count: int) -> list:
        return [stream.step(NOISE, False, now=(begin + i) / RATE) for i in range(count)]

    def shakes(views: list) -> float:
        return float(np.std([v.people[0].keypoints[:, :2] for v in views[10:]], axis=0).mean())

    spread = []
    for part, smoothing in enumerate(("light", "off", "strong")):
        stream.adapt(replace(OPTIONS, smoothing=smoothing), None)
        views = play(50 * part, 50)
        spread.append(shakes(views))
        assert list(views[-1].actions.people) == [1, 2]
        if part:
            assert all(list(v.actions.people) == [1, 2] for v in views)
            assert all(p.label for p in views[0].actions.people.values())
    light, off, strong = spread
    assert strong < 0.8 * light < 0.8 * off
    stream.close()


def test_a_stream_begins_with_the_smoothing_that_was_chosen() -> None:
    stream = LiveStream(engine(lambda i: (standing(150, i),)), replace(OPTIONS, smoothing="off"))
    views = [stream.step(NOISE, False, now=i / RATE) for i in range(8)]
    assert np.array_equal(views[-1].people[0].keypoints, standing(150, 7).keypoints)


def sharp(image: np.ndarray, person: Person, mirrored: bool = False) -> bool:
    """Whether the picture at the top of a head, where nothing is drawn, is as it was."""
    x, y = person.keypoints[0, :2].round().astype(int)
    x = SIZE[0] - 1 - x if mirrored else x
    around = np.s_[y - 14 : y - 5, x - 4 : x + 5]
    return bool((image[around] == NOISE[around]).mean() > 0.5)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("picture", ["faces blurred", "people blurred"])
def test_a_newcomer_is_blurred_from_the_first_picture_on(picture: str, mirrored: bool) -> None:
    stream = LiveStream(engine(lambda i: (standing(),)), replace(OPTIONS, picture=picture))
    view = stream.step(NOISE, mirrored, now=0.0)
    assert not view.people  # nobody is sure yet, and nothing is drawn
    assert not sharp(view.image, standing(), mirrored)
    assert sharp(view.image, standing(), not mirrored)
    stream.close()


def headless() -> Person:
    joints = standing().keypoints.copy()
    joints[:5, 2] = 0
    return Person.from_keypoints(joints)


@pytest.mark.parametrize("then", [(), (headless(),)], ids=["missed", "head missed"])
def test_who_is_missed_stays_blurred_for_a_moment(then: tuple[Person, ...]) -> None:
    options = replace(OPTIONS, picture="faces blurred")
    stream = LiveStream(engine(lambda i: (standing(),) if i < 10 else then), options)
    views = [stream.step(NOISE, False, now=i / RATE) for i in range(16)]
    blurred = [not sharp(v.image, standing()) for v in views]
    assert all(blurred[:13])  # the last was seen at 0.9 s
    assert not any(blurred[13:])
    stream.close()


@pytest.mark.parametrize("smoothing", ["off", "strong"])
def test_smoothing_is_that_of_videos_too(smoothing: str, tmp_path: Path, make_video) -> None:
    sessions = Sessions(engine(lambda i: (standing(150, i),)), Vault(tmp_path / "files", 3600))
    still = (np.full((120, 160, 3), 90, np.uint8) for _ in range(20))
    options = replace(OPTIONS, smoothing=smoothing)
    job = sessions.get("a").begin(make_video("still.mp4", still), "still", options, files=False)
    assert job.wait(60) and job.outcome.result is not None
    newest = job.outcome.result.recording.keypoints[-1]
    assert np.array_equal(newest, standing(150, 19).keypoints) == (smoothing == "off")
    sessions.close_all()
