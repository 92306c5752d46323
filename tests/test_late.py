"""People of files are also found in the frames just before they were noticed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from skimage import data

from app.on_use import OnUse
from skeletr.pose import PoseError
from skeletr.pose.geometry import Region, Tile
from skeletr.pose.late import MOST, SECONDS, Late
from skeletr.pose.mediapipe_pose import MediaPipePose, MediaPipePoseConfig, load_networks
from skeletr.pose.models import pose_model
from skeletr.pose.networks import PoseNetworks
from skeletr.recording import Person


def _body(x: float) -> Person:
    """Somebody at x."""
    return Person.from_keypoints(np.tile(np.array([x, 5.0, 1.0], np.float32), (17, 1)))


def _image(number: int) -> np.ndarray:
    return np.full((4, 4, 3), number, np.uint8)


class Notices:
    """Sees somebody in all pictures from `there` on, but notices them first in `noticed`."""

    def __init__(self, there: int, noticed: int) -> None:
        self._there, self._noticed = there, noticed
        self._last = -1

    def estimate(self, image: np.ndarray, time: float) -> tuple[Person, ...]:
        return self.look(image, time)[0]

    def look(self, image: np.ndarray, time: float) -> tuple[tuple[Person, ...], int]:
        self._last = int(image[0, 0, 0])
        return (_body(self._last),) if self._last >= self._noticed else (), self._last

    def retrace(self, earlier: Sequence[int]) -> list[tuple[Person, ...]]:
        if self._last != self._noticed:
            return []
        return [(_body(number),) for number in earlier if number >= self._there]

    def reset(self) -> None: ...

    def close(self) -> None: ...


class Plain:
    """Cannot look back."""

    def estimate(self, image: np.ndarray, time: float) -> tuple[Person, ...]:
        return (_body(time),)

    def reset(self) -> None: ...

    def close(self) -> None: ...


def _through(late: Late, times: Sequence[float]) -> list[tuple[float, list[float]]]:
    """Time, and where people are, of all frames."""
    found = [f for i, time in enumerate(times) for f in late.estimate(_image(i), time)]
    found += late.rest()
    return [(time, [float(p.keypoints[0, 0]) for p in people]) for time, people in found]


@pytest.mark.parametrize("fps", [4, 15, 30, 120])
@pytest.mark.parametrize("wrap", [lambda f: f, lambda f: OnUse(lambda: f)])
def test_each_frame_comes_once_in_order_with_people_from_before_they_were_noticed(fps, wrap):
    times = [i / fps for i in range(40)]
    found = _through(Late(wrap(Notices(there=20, noticed=23))), times)
    assert [time for time, _ in found] == times
    back = [i for i in (20, 21, 22) if times[i] > times[22] - SECONDS]  # have not left yet
    assert [i for i, (_, people) in enumerate(found) if people] == [*back, *range(23, 40)]
    assert all(people == [i] for i, (_, people) in enumerate(found) if people)


def test_no_more_pictures_wait_than_are_allowed():
    late = Late(Notices(0, 10**6))
    left = 0
    for i in range(200):
        left += len(late.estimate(_image(i), i / 1000))
        assert i + 1 - left <= MOST


def test_with_who_cannot_look_back_frames_leave_at_once():
    late = Late(Plain())
    assert [len(late.estimate(_image(0), t)) for t in (0.0, 0.1, 0.2)] == [1, 1, 1]
    assert late.rest() == []
    assert _through(Late(OnUse(Plain)), [0.0, 2.0]) == [(0.0, [0.0]), (2.0, [2.0])]


class Blind:
    """Networks whose search sees nobody for a while."""

    def __init__(self, networks: PoseNetworks) -> None:
        self._networks = networks
        self.parallel = networks.parallel
        self.blind = False

    def detect(self, image: np.ndarray, tile: Tile) -> list[Region]:
        return [] if self.blind else self._networks.detect(image, tile)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._networks, name)


@pytest.mark.parametrize("runner", ["litert", "tasks"])
def test_who_is_found_by_a_search_is_followed_backwards(runner):
    try:
        model = str(pose_model())
    except PoseError as error:
        pytest.skip(f"no pose model: {error}")
    if runner == "litert":
        pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    photo, wall = data.astronaut(), np.full((512, 1024, 3), 200, np.uint8)
    there, seen, frames = 10, 20, 40  # the first frame with her in it, the first that is searched
    config = MediaPipePoseConfig(
        runner=runner, model_path=model, max_people=2, idle_scan_interval=0.03
    )
    networks = Blind(load_networks(config))
    with MediaPipePose(config, networks) as pose:
        late, found = Late(pose), []
        for i in range(frames):
            image = wall.copy()
            if i >= there:
                x = 400 - 3 * (i - there)
                image[:, x : x + 512] = photo
            networks.blind = i < seen
            found += late.estimate(image, i / 30)
        found += late.rest()
    assert [len(people) for _, people in found] == [0] * there + [1] * (frames - there)
    noses = [people[0].keypoints[0, 0] for _, people in found[there:]]
    assert noses == pytest.approx([400 + 223 - 3 * i for i in range(frames - there)], abs=30)
