from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from skeletr.evaluation import ava
from skeletr.evaluation.sliding import slide, window_spans
from skeletr.recording import UNTRACKED, Frame, Person, Recording

from .synthetic import figure, scene


def _times(start: float, end: float, rate: float = 10.0) -> np.ndarray:
    return start + np.arange(round((end - start) * rate) + 1) / rate


def _middle(window: Recording) -> Mapping[int, np.ndarray]:
    """Scores that say when the window begins and ends, and who it is."""
    return {p: np.array([window.start, window.end, p]) for p in window.people}


def test_windows_are_centred_on_whole_seconds() -> None:
    recording = scene([100], _times(902.3, 905.1))
    assert window_spans(recording, 4) == [(900, 904), (901, 905), (902, 906), (903, 907)]
    halves = window_spans(recording, 1, 0.5)
    assert halves[:2] == [(901.5, 902.5), (902, 903)]
    assert halves[-1] == (904.5, 905.5)
    assert window_spans(Recording.from_frames([], (4, 4)), 4) == []


def test_predictions_are_averaged_over_the_windows_that_hold_a_second() -> None:
    recording = scene([100, 400], _times(0, 6))
    found = slide(recording, _middle, length=2)
    assert [(f.person, f.second) for f in found] == [(p, s) for p in (0, 1) for s in range(7)]
    # Second 3 lies in the windows 1..3, 2..4 and 3..5; second 0 in (-1)..1 and 0..2.
    np.testing.assert_allclose(found[3].scores, [2, 4, 0])
    assert found[3].windows == 3
    np.testing.assert_allclose(found[7].scores, [0, 1.5, 1])
    assert found[7].windows == 2


def test_a_longer_step_gives_fewer_windows() -> None:
    recording = scene([100], _times(0, 6))
    found = slide(recording, _middle, length=2, step=3)
    assert {f.second: f.windows for f in found} == {0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1}
    gaps = slide(recording, _middle, length=1, step=3)
    assert [f.second for f in gaps] == [0, 3, 6]


def test_people_count_only_where_they_are() -> None:
    frames = []
    for time in _times(0, 8):
        here = [0] if time < 5.4 else []
        here += [1] if time >= 3.6 else []
        body = figure() * [100, 100, 1] + [200, 200, 0]
        people = tuple(Person.from_keypoints(np.where(figure() > 0, body, 0), id) for id in here)
        frames.append(Frame(float(time), people))
    recording = Recording.from_frames(frames, (640, 480))
    found = slide(recording, _middle, length=4)
    seconds = {p: [f.second for f in found if f.person == p] for p in (0, 1)}
    assert seconds == {0: [0, 1, 2, 3, 4, 5], 1: [4, 5, 6, 7, 8]}
    # Person 1 appears at 3.6 s: of the windows that hold second 4, those from 2 s on hold them.
    assert found[6].windows == 5
    assert all(f.scores[2] == f.person for f in found)


def test_the_box_is_the_nearest_one_as_shares_of_the_picture() -> None:
    recording = scene([100], _times(0.04, 2.04), speed=50, image_size=(640, 480))
    found = slide(recording, _middle, length=2)
    for one in found:
        row = np.abs(recording.times - one.second).argmin()
        expected = recording.boxes[row] / [640, 480, 640, 480]
        np.testing.assert_allclose(one.box, np.clip(expected, 0, 1), rtol=1e-6)
    beyond = slide(scene([0], _times(0, 1), height=2000), _middle, length=2)
    assert all((f.box >= 0).all() and (f.box <= 1).all() for f in beyond)
    assert beyond[0].box.tolist()[1::2] == [0, 1]


def test_who_is_not_predicted_is_left_out() -> None:
    recording = scene([100, 400], _times(0, 3))
    only = slide(recording, lambda w: {1: np.ones(2)} if w.start > 0.4 else {}, length=1)
    assert {f.person for f in only} == {1}
    assert [f.second for f in only] == [1, 2, 3]
    assert slide(recording, lambda w: {}, length=2) == []


def test_nobody_is_not_asked_about() -> None:
    frames = [Frame(float(t)) for t in _times(0, 3)]

    def never(window: Recording) -> Mapping[int, np.ndarray]:
        raise AssertionError("asked about a window in which nobody is")

    assert slide(Recording.from_frames(frames, (64, 48)), never, length=2) == []


@pytest.mark.parametrize(
    ("predict", "said"),
    [
        (lambda w: {7: np.ones(2)}, r"person 7: predicted, but not in the window.*\[0\]"),
        (lambda w: {0: np.ones((2, 2))}, r"person 0: scores \(2, 2\)"),
        (lambda w: {0: np.ones(2 + (w.start > 0))}, r"scores \(3,\), expected \(2,\)"),
        (lambda w: {0: np.array([1, np.nan])}, "not finite"),
    ],
)
def test_predictions_that_do_not_fit(predict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        slide(scene([100], _times(0, 4)), predict, length=2)


def test_what_cannot_be_slid_over() -> None:
    recording = scene([100], _times(0, 2))
    for length, step in ((0, 1), (-1, 1), (2, 0), (float("nan"), 1)):
        with pytest.raises(ValueError, match="above 0"):
            slide(recording, _middle, length, step)
    person = Person.from_keypoints(figure(), UNTRACKED)
    with pytest.raises(ValueError, match="track first"):
        slide(Recording.from_frames([Frame(0.0, (person,))], (4, 4)), _middle, 2)


def test_ava_csv_is_read_back_as_it_was(tmp_path: Path) -> None:
    found = slide(scene([100, 400], _times(902, 904)), _middle, length=2)
    path = tmp_path / "predictions.csv"
    videos = [("one", found), ("two, too", found[:1])]
    ava.write_predictions(path, videos, [12, 80, 3], min_score=1)
    first = path.read_text().splitlines()[0].split(",")
    assert first[:2] == ["one", "902"]
    assert len(first) == 8
    boxes = ava.read_predictions(path)
    assert boxes.frames == (("one", 902), ("one", 903), ("one", 904), ("two, too", 902))
    # Person 0 has the score 0 for action 3, which is below the least score.
    assert boxes.actions.tolist() == [12, 80] * 3 + [12, 80, 3] * 3 + [12, 80]
    np.testing.assert_allclose(boxes.boxes[0], found[0].box, atol=1e-6)
    expected = np.concatenate([f.scores for f in [*found, found[0]]])
    np.testing.assert_allclose(boxes.scores, expected[expected >= 1], rtol=1e-7)
    with pytest.raises(ValueError, match="one per action id"):
        ava.write_predictions(path, [("one", found)], [12])
    assert len(ava.read_predictions(path)) == len(boxes)  # the file from before is still there
