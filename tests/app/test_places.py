"""Who is at the camera, who waits, and that everybody gets a turn."""

from __future__ import annotations

import threading
import time

import pytest

from app.places import LineFull, Places
from app.turns import Turns


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def make(places: int = 2, waiting: int = 3) -> tuple[Places, Clock]:
    clock = Clock()
    return Places(places, waiting, turn=100.0, idle=10.0, clock=clock), clock


def ask(places: Places, keys: str) -> list[int]:
    return [places.ask(key).position for key in keys]


def test_the_first_get_in_and_the_rest_stand_in_line() -> None:
    places, _ = make()
    assert ask(places, "abcd") == [0, 0, 1, 2]
    assert ask(places, "dcba") == [2, 1, 0, 0]
    assert places.served == 2 and places.waiting == 2


def test_whoever_leaves_makes_room_for_the_next_in_line() -> None:
    places, _ = make()
    ask(places, "abcd")
    places.leave("a")
    assert ask(places, "dcb") == [1, 0, 0]


def test_whoever_stops_sending_frames_makes_room() -> None:
    places, clock = make()
    ask(places, "abc")
    clock.now = 8
    ask(places, "bc")
    clock.now = 12
    assert ask(places, "bc") == [0, 0]
    assert not places.serves("a")


def test_whoever_gives_up_waiting_is_forgotten() -> None:
    places, clock = make()
    ask(places, "abcd")
    clock.now = 8
    ask(places, "abd")
    clock.now = 12
    assert ask(places, "d") == [1]
    clock.now = 30
    places.sweep()
    assert places.served == places.waiting == 0


def test_a_full_line_says_so() -> None:
    places, _ = make()
    ask(places, "abcde")
    with pytest.raises(LineFull, match="2 places at the camera are taken and 3 visitors wait"):
        places.ask("f")
    places.leave("d")
    assert places.ask("f").position == 3


def test_a_turn_ends_only_when_others_wait() -> None:
    places, clock = make()
    for clock.now in range(0, 500, 5):
        assert ask(places, "ab") == [0, 0]
    assert ask(places, "c") == [0]
    assert places.ask("a").ended and places.ask("a").position == 1
    assert ask(places, "b") == [0]


def test_shares_are_fair_in_the_long_run() -> None:
    places, clock = make(places=2, waiting=8)
    served = dict.fromkeys("abcde", 0)
    for clock.now in range(0, 5000, 2):
        for key in served:
            served[key] += places.ask(key).granted
    assert sum(served.values()) == 2 * 2500
    assert min(served.values()) > 0.7 * max(served.values())


def test_the_model_serves_its_askers_in_the_order_of_asking() -> None:
    turns, order, started = Turns(), [], []

    def work(number: int) -> None:
        with turns:
            order.append(number)

    with turns:
        for number in range(6):
            thread = threading.Thread(target=work, args=(number,))
            thread.start()
            started.append(thread)
            while len(turns) <= number:
                time.sleep(0.001)
    for thread in started:
        thread.join(10)
    assert order == list(range(6)) and len(turns) == 0


def test_a_turn_ends_also_when_the_work_fails() -> None:
    turns = Turns()
    for _ in range(2):
        with pytest.raises(ValueError), turns:
            raise ValueError
    with turns:
        pass
