"""The cheaper way to run BlazePose: unused outputs left out, several people at the same time."""

from __future__ import annotations

import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from skeletr.pose import PoseError
from skeletr.pose.bundle import LANDMARKER
from skeletr.pose.mediapipe_pose import MediaPipePose, MediaPipePoseConfig
from skeletr.pose.models import pose_model
from skeletr.pose.prune import keep_outputs
from skeletr.pose.together import Together

LANDMARKS, PRESENCE = (1, 195), (1, 1)


@pytest.fixture(scope="module")
def bundle() -> Path:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    try:
        return Path(pose_model())
    except PoseError as error:
        pytest.skip(f"no pose model: {error}")


@pytest.fixture(scope="module")
def network(bundle: Path) -> bytes:
    with zipfile.ZipFile(bundle) as archive:
        return archive.read(LANDMARKER)


def run(network: bytes, image: np.ndarray) -> dict[tuple[int, ...], np.ndarray]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=network, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
    interpreter.invoke()
    details = interpreter.get_output_details()
    return {tuple(o["shape"].tolist()): interpreter.get_tensor(o["index"]) for o in details}


def test_what_is_kept_is_computed_as_before(network: bytes) -> None:
    image = np.random.default_rng(0).random((256, 256, 3), dtype=np.float32)
    whole, kept = run(network, image), run(keep_outputs(network, {LANDMARKS, PRESENCE}), image)
    assert set(kept) == {LANDMARKS, PRESENCE} < set(whole)
    for shape, values in kept.items():
        np.testing.assert_array_equal(values, whole[shape])


def test_the_given_network_is_left_as_it_was(network: bytes) -> None:
    before = bytes(bytearray(network))
    assert keep_outputs(network, {PRESENCE}) != before
    assert network == before


def test_an_output_that_is_not_there_is_named(network: bytes) -> None:
    with pytest.raises(ValueError, match=r"\(1, 7\)"):
        keep_outputs(network, {PRESENCE, (1, 7)})


def test_people_are_the_same_however_many_networks_run_at_once(bundle: Path) -> None:
    photo = data.astronaut()
    picture = np.concatenate([photo, photo[:, ::-1]], axis=1)
    found = []
    for threads in (1, 3):
        config = MediaPipePoseConfig(runner="litert", model_path=str(bundle), threads=threads)
        with MediaPipePose(config) as pose:
            found.append([pose.estimate(np.roll(picture, 2 * i, 1), i / 10) for i in range(6)])
    assert [len(people) for people in found[0]] == [2] * 6
    for one, three in zip(*found, strict=True):
        for a, b in zip(one, three, strict=True):
            np.testing.assert_allclose(a.keypoints, b.keypoints, atol=1e-3)


def test_calls_run_at_once_and_answer_in_order() -> None:
    together, meet = Together(3), threading.Barrier(3, timeout=30)
    assert together.run([lambda i=i: (meet.wait(), i)[1] for i in range(3)]) == [0, 1, 2]
    together.close()
    together.close()


@pytest.mark.parametrize("parallel", [1, 2])
def test_an_error_of_a_call_is_raised(parallel: int) -> None:
    together = Together(parallel)
    with pytest.raises(ZeroDivisionError):
        together.run([lambda: 1, lambda: 1 // 0, lambda: 2])
    assert together.run([]) == []
    together.close()
