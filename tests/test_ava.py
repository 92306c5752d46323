from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skeletr.evaluation import ava
from skeletr.evaluation.ava import AvaBoxes, AvaError

DATA_VARIABLE = "SKELETR_DATA"
LEFT, RIGHT = (0.0, 0.0, 0.4, 0.8), (0.5, 0.0, 0.9, 0.8)
ALMOST_LEFT = (0.0, 0.0, 0.4, 0.7)  # IoU 7/8
HALF_LEFT = (0.0, 0.0, 0.4, 0.4)  # IoU 1/2
LESS_LEFT = (0.0, 0.0, 0.4, 0.39)

# One row of a file: second, box, action, score; all in the video "v".
Row = tuple[float, tuple[float, ...], int, float]


def _boxes(*rows: Row) -> AvaBoxes:
    return AvaBoxes.from_rows(("v", *row) for row in rows)


def _truth(*rows: tuple[float, tuple[float, ...], int]) -> AvaBoxes:
    return _boxes(*((*row, 1.0) for row in rows))


def _ap(truth: AvaBoxes, found: AvaBoxes, action: int = 1, **options: object) -> float:
    return ava.evaluate(truth, found, **options).average_precisions[action]


@pytest.fixture(scope="module")
def fixture_files() -> Path:
    """Folder of the known vector, from the environment; tests that need it are skipped without."""
    folder = os.environ.get(DATA_VARIABLE)
    if not folder:
        pytest.skip(f"{DATA_VARIABLE} is not set: it names the folder with the data sets")
    if not (Path(folder) / "ava_eval_fixture").is_dir():
        pytest.skip(f"{folder} holds no ava_eval_fixture")
    return Path(folder) / "ava_eval_fixture"


def test_the_known_vector(fixture_files: Path) -> None:
    labels = ava.read_labels(fixture_files / "action_list.txt")
    assert labels == {1: "action1", 2: "action2", 3: "action3"}
    truth = ava.read_ground_truth(fixture_files / "gt.csv")
    found = ava.read_predictions(fixture_files / "pred.csv")
    assert (len(truth), len(found), len(truth.frames)) == (12, 30, 3)
    result = ava.evaluate(truth, found, classes=labels)
    expected = [0.170455, 0, 0.111111]
    np.testing.assert_allclose(list(result.average_precisions.values()), expected, atol=1e-6)
    assert result.mean_average_precision == pytest.approx(0.09385522, abs=1e-6)
    assert (result.ignored, result.cut) == (0, 0)


# Classes


def test_the_evaluated_classes() -> None:
    assert len(ava.EVALUATED_CLASSES) == 60
    assert {1, 3, 17, 64, 80} <= set(ava.EVALUATED_CLASSES)
    assert not {0, 2, 16, 18, 71, 75, 81} & set(ava.EVALUATED_CLASSES)
    sizes = [sum(c in ids for c in ava.EVALUATED_CLASSES) for ids in ava.GROUPS.values()]
    assert sizes == [13, 32, 15]


def test_means_are_over_classes_with_ground_truth_in_their_groups() -> None:
    truth = _truth((1, LEFT, 1), (1, LEFT, 14), (1, LEFT, 15), (2, LEFT, 15), (1, LEFT, 2))
    found = _boxes((1, LEFT, 1, 0.9), (1, LEFT, 15, 0.9), (1, LEFT, 64, 0.9), (1, LEFT, 2, 0.9))
    result = ava.evaluate(truth, found)
    # 64 has no ground truth and 2 is not evaluated: neither counts. 14 is never found.
    assert result.average_precisions == {1: 1.0, 14: 0.0, 15: 0.5}
    assert result.mean_average_precision == pytest.approx(0.5)
    assert result.groups() == {
        "person movement": 0.5,
        "object manipulation": 0.5,
        "person interaction": None,
    }
    assert 64 in result.without_ground_truth
    assert len(result.without_ground_truth) == 57


def test_empty_predictions_and_empty_ground_truth() -> None:
    result = ava.evaluate(_truth((1, LEFT, 1), (1, RIGHT, 80)), _boxes())
    assert result.average_precisions == {1: 0.0, 80: 0.0}
    for truth in (_truth(), _truth((1, LEFT, 2)), _truth((1, (), 0))):
        with pytest.raises(AvaError, match="60 evaluated classes"):
            ava.evaluate(truth, _boxes((1, LEFT, 1, 0.5)))


# Matching


@pytest.mark.parametrize(
    ("box", "expected"), [(LEFT, 1), (ALMOST_LEFT, 1), (HALF_LEFT, 1), (LESS_LEFT, 0), (RIGHT, 0)]
)
def test_half_an_overlap_is_enough(box: tuple[float, ...], expected: float) -> None:
    assert _ap(_truth((1, LEFT, 1)), _boxes((1, box, 1, 0.5))) == expected


def test_two_detections_on_one_box() -> None:
    truth = _truth((1, LEFT, 1), (1, RIGHT, 1))
    first_wrong = _boxes((1, ALMOST_LEFT, 1, 0.5), (1, LEFT, 1, 0.9), (1, RIGHT, 1, 0.1))
    # By score: right, a second one on the same box, right: precision 1, 1/2, 2/3.
    assert _ap(truth, first_wrong) == pytest.approx((1 + 2 / 3) / 2)


def test_there_is_no_second_best() -> None:
    near = (0.05, 0.0, 0.45, 0.8)
    truth = _truth((1, LEFT, 1), (1, near, 1))
    # Both detections lie on LEFT best, though the second overlaps `near` by more than half.
    found = _boxes((1, LEFT, 1, 0.9), (1, ALMOST_LEFT, 1, 0.8))
    assert _ap(truth, found) == 0.5


def test_a_better_detection_of_another_class_or_frame_takes_nothing_away() -> None:
    truth = _truth((1, LEFT, 1), (1, LEFT, 3), (2, LEFT, 1))
    found = _boxes((1, LEFT, 3, 0.9), (2, LEFT, 1, 0.8), (1, LEFT, 1, 0.7))
    assert ava.evaluate(truth, found).average_precisions == {1: 1.0, 3: 1.0}


def test_frames_are_pooled_and_sorted_by_score() -> None:
    truth = _truth((1, LEFT, 1), (2, LEFT, 1), (3, LEFT, 1))
    found = _boxes((1, LEFT, 1, 0.2), (1, RIGHT, 1, 0.9), (2, LEFT, 1, 0.8), (3, LEFT, 1, 0.7))
    # Wrong, right, right, right: precision 0, 1/2, 2/3, 3/4, and its envelope 3/4 everywhere.
    assert _ap(truth, found) == pytest.approx(0.75)


def test_equal_scores_are_taken_in_the_order_of_the_file() -> None:
    truth = _truth((1, LEFT, 1), (2, LEFT, 1))
    right, wrong = (1, LEFT, 1, 0.5), (1, RIGHT, 1, 0.5)
    assert _ap(truth, _boxes(right, wrong)) == 0.5
    assert _ap(truth, _boxes(wrong, right)) == 0.25
    # Of two equal ones on one box the first takes it.
    twice = _boxes(right, (1, ALMOST_LEFT, 1, 0.5), (2, LEFT, 1, 0.4))
    assert _ap(truth, twice) == pytest.approx((1 + 2 / 3) / 2)


def test_detections_without_an_area_are_none() -> None:
    truth = _truth((1, LEFT, 1))
    line, backwards = (0.2, 0.0, 0.2, 0.8), (0.4, 0.8, 0.0, 0.0)
    found = _boxes((1, line, 1, 0.9), (1, backwards, 1, 0.8), (1, LEFT, 1, 0.5))
    assert _ap(truth, found) == 1


# Frames


def test_detections_outside_the_ground_truth_are_ignored() -> None:
    # Frame 2 is listed, without boxes of an evaluated class: what is found there is wrong.
    truth = _truth((1, LEFT, 1), (2, LEFT, 2), (3, (), 0))
    elsewhere = (9, RIGHT, 1, 0.9)
    result = ava.evaluate(truth, _boxes(elsewhere, (1, LEFT, 1, 0.5)))
    assert (result.average_precisions[1], result.ignored, result.frames) == (1, 1, 3)
    for frame in (2, 3):
        assert _ap(truth, _boxes((frame, LEFT, 1, 0.9), (1, LEFT, 1, 0.5))) == 0.5


def test_excluded_frames_count_for_neither() -> None:
    truth = _truth((1, LEFT, 1), (2, LEFT, 1), (2, LEFT, 3))
    found = _boxes((1, LEFT, 1, 0.5), (2, RIGHT, 1, 0.9))
    assert _ap(truth, found) == 0.25
    result = ava.evaluate(truth, found, excluded=[("v", 2.0), ("w", 1.0)])
    assert result.average_precisions == {1: 1.0}
    assert (result.frames, result.ignored) == (1, 0)
    assert 3 in result.without_ground_truth


def test_only_the_best_of_a_frame_are_kept() -> None:
    truth = _truth((1, LEFT, 1), (2, LEFT, 1))
    found = _boxes((1, LEFT, 1, 0.1), (2, LEFT, 1, 0.2), *[(1, RIGHT, 3, 0.9)] * 50)
    result = ava.evaluate(truth, found)  # the official limit of 50 cuts the worst of frame 1
    assert (result.average_precisions[1], result.cut) == (0.5, 1)
    assert _ap(truth, found, per_frame=51) == _ap(truth, found, per_frame=None) == 1
    # Detections of classes that are not evaluated take no room.
    assert _ap(truth, found, classes=[1]) == 1
    with pytest.raises(ValueError, match="per_frame"):
        ava.evaluate(truth, found, per_frame=0)


# Against another implementation

SHARES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """Few places, so that boxes coincide, overlap by half, and have no area."""
    x1, x2 = sorted((draw(SHARES), draw(SHARES)))
    y1, y2 = sorted((draw(SHARES), draw(SHARES)))
    score = draw(st.sampled_from([0.1, 0.5, 0.5000001, 0.9]))
    return draw(st.integers(1, 3)), (x1, y1, x2, y2), draw(st.sampled_from([1, 2, 3, 64])), score


def _iou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(areas) - width * height)


def _naive(truth: list[Row], found: list[Row], action: int, left_out: set[int]) -> float | None:
    """AP by plain loops over MODEL_FACTS, section 7; None without ground truth."""
    listed = {row[0] for row in truth} - left_out
    wanted = [(row[0], row[1]) for row in truth if row[2] == action and row[0] in listed]
    if not wanted:
        return None
    mine = [r for r in found if r[2] == action and r[0] in listed and _iou(r[1], r[1]) > 0]
    used: set[int] = set()
    right: list[bool] = []
    for second, box, _, _ in sorted(mine, key=lambda row: -row[3]):
        overlaps = [_iou(box, b) if s == second else -1.0 for s, b in wanted]
        best = max(range(len(wanted)), key=lambda n: overlaps[n])
        right.append(overlaps[best] >= 0.5 and best not in used)
        used |= {best} if right[-1] else set()
    area = 0.0
    for n, good in enumerate(right):
        if good:
            area += max(sum(right[: m + 1]) / (m + 1) for m in range(n, len(right)))
    return area / len(wanted)


@settings(deadline=None, max_examples=300)
@given(
    truth=st.lists(rows(), min_size=1, max_size=12),
    found=st.lists(rows(), max_size=15),
    left_out=st.sets(st.integers(1, 3), max_size=2),
)
def test_a_naive_implementation_agrees(
    truth: list[Row], found: list[Row], left_out: set[int]
) -> None:
    expected = {c: _naive(truth, found, c, left_out) for c in (1, 3, 64)}
    expected = {c: ap for c, ap in expected.items() if ap is not None}
    excluded = {("v", float(second)) for second in left_out}
    if not expected:
        with pytest.raises(AvaError):
            ava.evaluate(_boxes(*truth), _boxes(*found), excluded)
        return
    result = ava.evaluate(_boxes(*truth), _boxes(*found), excluded)
    assert result.average_precisions == pytest.approx(expected)
