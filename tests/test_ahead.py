"""Stages in threads of their own: the same items, bounded, ended in order."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from skeletr.ahead import ahead


def counted(made: list[int], count: int = 10**9) -> Iterator[int]:
    for i in range(count):
        made.append(i)
        yield i


def stages() -> int:
    return sum(t.name == "ahead" for t in threading.enumerate())


def test_items_arrive_all_and_in_order_through_several_stages():
    with ahead(counted([], 100)) as numbers, ahead(n * n for n in numbers) as squares:
        assert list(squares) == [n * n for n in range(100)]
    assert stages() == 0


def test_only_a_few_are_made_before_they_are_asked_for():
    made: list[int] = []
    with ahead(counted(made), most=3) as numbers:
        for taken in range(20):
            assert next(numbers) == taken
            assert len(made) <= taken + 1 + 3 + 1, "in use, in line, and one in hand"


def test_stages_run_at_the_same_time():
    met = threading.Barrier(2, timeout=30)

    def meeting() -> Iterator[int]:
        yield 0
        met.wait()
        yield 1

    with ahead(meeting()) as numbers:
        assert next(numbers) == 0
        met.wait()
        assert next(numbers) == 1


def test_an_error_comes_after_the_items_before_it():
    def failing() -> Iterator[int]:
        yield from range(3)
        raise OSError("the disk is gone")

    taken = []
    with (
        pytest.raises(OSError, match="the disk is gone"),
        ahead(failing()) as numbers,
        ahead(n for n in numbers) as again,
    ):
        for number in again:
            taken.append(number)
    assert taken == [0, 1, 2]
    assert stages() == 0


def test_leaving_early_ends_the_threads_and_closes_the_items():
    closed = []

    def watched() -> Iterator[int]:
        try:
            yield from counted([])
        finally:
            closed.append(True)

    with ahead(watched()) as numbers, ahead(n for n in numbers) as again:
        assert next(again) == 0
    assert closed == [True]
    assert stages() == 0
