"""`Recording`: what goes in comes out, and what cannot be is refused with a reason."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

from skeletr.recording import Action, Frame, Person, Recording, RecordingError
from skeletr.skeleton import COCO_FLIP, COCO_PARTS, V, box_iou, keypoint_boxes, to_coco17
from tests.synthetic import figure, scene

TIMES = np.arange(40) / 10


def same(a: Recording, b: Recording) -> bool:
    columns = ("frame_times", "frame", "person", "keypoints", "boxes")
    return (
        all(np.array_equal(getattr(a, c), getattr(b, c)) for c in columns)
        and a.image_size == b.image_size
        and a.actions == b.actions
    )


def test_saved_and_loaded_it_is_the_same(tmp_path):
    recording = scene([100, 300], TIMES)
    labelled = Recording.from_frames(
        recording.frames(), recording.image_size, [Action("wave", 1, 0.5, 2.0)], "a/<b>.mp4"
    )
    labelled.save(tmp_path / "r.npz")
    again = Recording.load(tmp_path / "r.npz")
    assert same(labelled, again)
    assert again.source == "a/<b>.mp4"
    assert [p.name for p in tmp_path.iterdir()] == ["r.npz"]


def test_frames_and_arrays_are_two_ways_to_the_same():
    recording = scene([100, 300], TIMES)
    assert same(recording, Recording.from_frames(recording.frames(), recording.image_size))
    assert recording.people == [0, 1]
    assert len(list(recording.frames())) == len(TIMES)


def test_empty_frames_are_kept():
    frames = [Frame(0.0), Frame(0.1, (Person.from_keypoints(figure(), 7),)), Frame(0.2)]
    recording = Recording.from_frames(frames, (10, 10))
    assert [len(f.people) for f in recording.frames()] == [0, 1, 0]
    assert recording.people == [7]


def test_frames_are_let_go_as_soon_as_they_are_in_the_columns():
    """An hour of video must not wait as objects until it has ended."""
    given: list[weakref.ref] = []
    most_alive = 0

    def frames():
        nonlocal most_alive
        for frame in scene([100, 300], TIMES).frames():
            given.append(weakref.ref(frame))
            most_alive = max(most_alive, sum(ref() is not None for ref in given))
            yield frame

    assert len(Recording.from_frames(frames(), (640, 480)).frame_times) == len(TIMES)
    assert most_alive <= 3


def test_the_people_of_a_moment_are_those_of_its_frame():
    recording = scene([100, 300], TIMES)
    for frame in recording.frames():
        found = recording.at(frame.time)
        assert [p.id for p in found] == [p.id for p in frame.people]
        assert all(
            np.array_equal(*pair)
            for pair in zip(
                (p.keypoints for p in found), (p.keypoints for p in frame.people), strict=True
            )
        )
    assert recording.at(0.05) == recording.at(-1.0) == recording.at(100.0) == ()


def test_people_with_other_joints_are_refused():
    person = Person(np.ones((16, 3), np.float32), np.zeros(4, np.float32), 1)
    with pytest.raises(ValueError):
        Recording.from_frames([Frame(0.0, (person,))], (640, 480))


def test_between_keeps_times_and_clips_labels():
    recording = scene([100], TIMES)
    recording = Recording.from_frames(
        recording.frames(), recording.image_size, [Action("wave", 0, 0.0, 3.0)]
    )
    part = recording.between(1.0, 2.0)
    assert part.start == pytest.approx(1.0) and part.end == pytest.approx(2.0)
    assert len(part.frame) == 11
    assert part.actions == (Action("wave", 0, 1.0, 2.0),)
    assert len(recording.between(50, 60).frame_times) == 0


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04broken"])
def test_a_file_that_is_no_recording_is_named(tmp_path, content):
    path = tmp_path / "session.npz"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"session\.npz is not a readable recording"):
        Recording.load(path)


def test_a_pickle_inside_a_recording_is_not_opened(tmp_path):
    path = tmp_path / "evil.npz"
    np.savez(path, header=np.array([{"version": 1}], dtype=object))
    with pytest.raises(RecordingError, match="evil"):
        Recording.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RecordingError, match="gone"):
        Recording.load(tmp_path / "gone.npz")


def test_times_that_do_not_increase_are_refused():
    with pytest.raises(RecordingError, match="strictly increasing"):
        Recording.from_frames([Frame(0.0), Frame(0.0)], (10, 10))


def test_columns_that_do_not_fit_are_refused():
    good = scene([100], TIMES)
    with pytest.raises(RecordingError, match="boxes has shape"):
        Recording(
            good.image_size,
            good.frame_times,
            good.frame,
            good.person,
            good.keypoints,
            good.boxes[:1],
        )


def test_layouts_convert_by_name_and_missing_joints_are_zero():
    points = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    points[1, 2] = np.nan
    out = to_coco17(points, {"nose": 2, "left_hip": 0})
    assert out.shape == (2, V, 3)
    assert out[0, 0].tolist() == [4, 5, 1]
    assert out[1, 0].tolist() == [0, 0, 0]
    assert np.count_nonzero(out[:, 1:11]) == 0
    with pytest.raises(ValueError, match="not COCO joints"):
        to_coco17(points, {"tail": 0})
    with pytest.raises(ValueError, match="outside"):
        to_coco17(points, {"nose": 3})


def test_skeleton_tables_agree_with_each_other():
    assert sorted(j for _, joints in COCO_PARTS for j in joints) == list(range(V))
    assert [COCO_FLIP[COCO_FLIP[v]] for v in range(V)] == list(range(V))


def test_boxes_and_iou():
    keypoints = np.zeros((V, 3), np.float32)
    assert keypoint_boxes(keypoints).tolist() == [0, 0, 0, 0]
    keypoints[0], keypoints[5] = (10, 20, 1), (30, 50, 0.5)
    assert keypoint_boxes(keypoints).tolist() == [10, 20, 30, 50]
    a = np.array([[0, 0, 10, 10], [0, 0, 0, 0]], np.float32)
    assert np.allclose(box_iou(a, np.array([[5, 0, 15, 10]])), [[1 / 3], [0]])
