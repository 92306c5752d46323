from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skeletr.evaluation.metrics import (
    average_precision,
    confusion,
    envelope_area,
    mean_average_precision,
)

Ranked = tuple[list[float], list[bool]]


@st.composite
def ranked(draw: st.DrawFn) -> Ranked:
    """Scores with many ties, and targets of which at least one is true."""
    count = draw(st.integers(1, 12))
    scores = draw(st.lists(st.sampled_from([0.0, 0.2, 0.5, 0.9]), min_size=count, max_size=count))
    targets = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    targets[draw(st.integers(0, count - 1))] = True
    return scores, targets


def _naive(scores: list[float], targets: list[bool]) -> float:
    """For each positive, the best precision of any threshold that still finds it."""
    area = 0.0
    for score, target in zip(scores, targets, strict=True):
        if target:
            found = [
                [t for s, t in zip(scores, targets, strict=True) if s >= threshold]
                for threshold in scores
                if threshold <= score
            ]
            area += max(sum(inside) / len(inside) for inside in found)
    return area / sum(targets)


def test_average_precision_by_hand() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    targets = np.array([True, False, False, True, True])
    # Precision 1, 1/2, 1/3, 2/4, 3/5; the envelope lifts the second positive to 3/5.
    assert average_precision(scores, targets) == pytest.approx((1 + 3 / 5 + 3 / 5) / 3)
    assert average_precision(-scores, ~targets) == pytest.approx((0.5 + 0.5) / 2)
    assert average_precision(scores, np.ones(5, bool)) == 1


@given(ranked(), st.randoms())
def test_average_precision_is_the_naive_one_in_any_order(case: Ranked, random) -> None:
    rows = list(zip(*case, strict=True))
    random.shuffle(rows)
    scores, targets = (np.array(column) for column in zip(*rows, strict=True))
    assert average_precision(scores, targets) == pytest.approx(_naive(*case))


def test_equal_scores_promise_nothing() -> None:
    targets = np.array([True, False, False, False])
    assert average_precision(np.zeros(4), targets) == 0.25
    assert average_precision(np.zeros(4), targets[::-1]) == 0.25


def test_labels_without_positives_are_left_out_and_reported() -> None:
    scores = np.array([[0.9, 0.1, 0.3], [0.1, 0.9, 0.4], [0.2, 0.8, 0.5]])
    targets = np.array([[1, 0, 0], [0, 0, 1], [1, 0, 0]], bool)
    result = mean_average_precision(scores, targets)
    assert result.left_out == (1,)
    assert np.isnan(result.per_label[1])
    np.testing.assert_allclose(result.per_label[[0, 2]], [1, 0.5])
    assert result.mean == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("scores", "targets", "said"),
    [
        (np.zeros((2, 3)), np.zeros((2, 3), bool), "no positive"),
        (np.zeros((2, 3)), np.ones((3, 2), bool), r"expected \(N, K\)"),
        (np.zeros((2, 3)), np.ones((2, 3)), "bool"),
        (np.full((2, 3), np.nan), np.ones((2, 3), bool), "not finite"),
        (np.zeros(2), np.ones(2, bool), r"expected \(N, K\)"),
    ],
)
def test_what_has_no_average_precision(scores: np.ndarray, targets: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        mean_average_precision(scores, targets)


def test_a_label_without_positives_has_no_average_precision() -> None:
    with pytest.raises(ValueError, match="positive"):
        average_precision(np.ones(2), np.zeros(2, bool))


def test_nothing_found_is_no_area() -> None:
    assert envelope_area(np.zeros(0, int), np.zeros(0, int), 3) == 0


def test_confusion() -> None:
    scores = np.array([[3, 1, 0], [0, 1, 2], [2, 2, 0], [0, 5, 1]])
    matrix = confusion(scores, np.array([0, 0, 1, 1]), 3)
    assert matrix.tolist() == [[1, 0, 1], [1, 1, 0], [0, 0, 0]]
    assert matrix.dtype == np.int64


@pytest.mark.parametrize(
    ("targets", "classes", "said"),
    [([0, 1], 4, "one column per class"), ([0, 3], 3, r"0\.\.2"), ([-1, 0], 3, r"0\.\.2")],
)
def test_confusion_refuses_what_does_not_fit(targets: list[int], classes: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        confusion(np.zeros((2, 3)), np.array(targets), classes)
