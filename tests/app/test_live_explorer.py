"""The attention explorer of the Live tab, against the model's own numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from app import live_tab, live_tokens, live_view, scene_data, views
from app.engine import Engine
from app.figures import newest
from app.live import LiveStream, LiveView
from app.live_attention import MARKED, Pair
from app.live_tokens import tokens_of
from app.live_wiring import newest_maps
from app.settings import AppSettings, UserOptions
from skeletr.actions import Attention
from skeletr.heads import head_character
from skeletr.overlay import OverlayStyle, draw_actions
from skeletr.recognizer import Recognizer
from skeletr.recording import Person
from tests.app.fakes import untrained
from tests.synthetic import scene

SIZE = (640, 480)
RATE = 10
IMAGE = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
PLACES = [100.0, 300.0, 500.0]


class Crowd:
    """A pose frontend that sees three people, who move."""

    def __init__(self) -> None:
        self._frames: Iterator = iter(scene(PLACES, np.arange(600) / RATE).frames())

    def estimate(self, image: np.ndarray, time: float) -> tuple[Person, ...]:
        return next(self._frames).people

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def engine() -> Engine:
    made = Engine(AppSettings(), untrained, lambda options: Crowd())
    made.wait(60)
    return made


class Watched:
    """A live stream, and a recogniser of its own that is given the same people."""

    def __init__(self, engine: Engine) -> None:
        self.stream = LiveStream(engine, UserOptions("fake"))
        self.attention = self.stream.attention
        with engine.model() as checkpoint:
            self._own = Recognizer(checkpoint)
        self._frame = 0
        self._maps = 0
        self.anew = False  # whether the last frame brought new maps

    def step(self, arcs: bool = False) -> tuple[LiveView, Attention | None]:
        view = self.stream.step(IMAGE, False, arcs, now=self._frame / RATE)
        self._frame += 1
        self.anew, self._maps = view.maps != self._maps, view.maps
        return view, self._own.step(view.people, view.actions.time, view.size).attention

    def until(self, there: Callable[[LiveView], bool]) -> tuple[LiveView, Attention]:
        for _ in range(9 * RATE):
            view, attention = self.step()
            if there(view):
                return view, attention
        raise AssertionError("it never came")

    def full(self) -> tuple[LiveView, Attention]:
        """A moment at which the maps are drawn, with seconds of everybody in them."""
        return self.until(lambda _: self.anew and self._frame > 4 * RATE)


@pytest.fixture
def watched(engine: Engine) -> Watched:
    return Watched(engine)


def maps_after(watched: Watched) -> tuple:
    """What a page that asks gets, once there are maps of full windows."""
    watched.full()
    return newest_maps(watched.attention, plots=True)


def shown(figure) -> np.ndarray:
    return np.array(figure.data[0].z)


def test_the_maps_follow_the_layer_and_the_head_that_are_chosen(watched: Watched) -> None:
    for layer, head in ((None, None), (1, 3), (0, 7), (None, 5)):
        watched.attention.choose(layer, head)
        _, own = watched.until(lambda _: watched.anew)
        heads, sequences, between, _ = newest_maps(watched.attention, plots=True)
        assert list(sequences.data[0].x) == own.names
        assert np.allclose(shown(sequences), own.select(layer, head), atol=2e-5)
        assert np.allclose(shown(between), own.between_people(layer, head)[1], atol=2e-5)
        assert heads.count("sk-head") == 10  # their frame, all of them, and each of eight
        pressed = heads.split('aria-pressed="true"')[0].rsplit("data-head=", 1)[1]
        assert pressed.startswith('""' if head is None else f'"{head}"')


def test_a_page_that_is_not_scrolled_to_the_maps_gets_the_heads_alone(watched: Watched) -> None:
    watched.full()
    heads, *plots, _ = newest_maps(watched.attention, plots=False)
    assert heads.count("sk-head") == 10
    assert all(plot == gr.skip() for plot in plots)


def test_the_badge_says_which_maps_there_are(watched: Watched) -> None:
    versions = []
    for _ in range(6 * RATE):
        view, _ = watched.step()
        told = re.search(r'data-maps="(\d+)"', views.badge(view))
        versions.append((int(told[1]), watched.anew))
    for (before, _), (now, redraw) in pairwise(versions):
        assert now == before + redraw
    assert versions[-1][0] == watched.attention.version >= 2


def test_heads_are_named_by_what_they_were_measured_to_do(watched: Watched) -> None:
    _, own = watched.full()
    known = watched.attention.known
    assert sorted(known) == [(layer, head) for layer in range(2) for head in range(8)]
    labels = {(c.layer, c.head): c.label for c in head_character(own)}
    assert sum(known[k][0].label == label for k, label in labels.items()) > len(labels) / 2
    watched.attention.choose(1, None)
    watched.until(lambda _: watched.anew)
    heads = maps_after(watched)[0]
    assert all(watched.attention.known[1, head][0].label in heads for head in range(8))


def test_where_nobody_is_left_the_heads_say_what_to_do(watched: Watched, monkeypatch) -> None:
    watched.full()
    monkeypatch.setattr(Crowd, "estimate", lambda *_: ())
    view = None
    for _ in range(12 * RATE):
        view = watched.step()[0]
        if watched.anew and view.actions.attention is None:
            break
    assert live_view.NOBODY in newest_maps(watched.attention, plots=True)[0]


def test_the_layers_are_offered_once(watched: Watched) -> None:
    first = maps_after(watched)[3]
    assert first["choices"] == ["Mean", "1", "2"]
    assert "choices" not in maps_after(watched)[3]


@pytest.mark.parametrize("choice", [(None, None), (1, 3)])
def test_arcs_in_the_picture_are_those_of_the_choice(watched: Watched, choice: tuple) -> None:
    watched.full()
    watched.attention.choose(*choice)
    view, own = watched.step(arcs=True)
    told = (view.actions.people, view.actions.scene)
    expected = draw_actions(IMAGE, view.people, *told, own.only(*choice), OverlayStyle(arcs=True))
    assert np.array_equal(view.image, expected)
    plain = draw_actions(IMAGE, view.people, *told)
    assert not np.array_equal(view.image, plain)
    assert np.array_equal(watched.step(arcs=False)[0].image[:60], plain[:60])


def changed(view: LiveView) -> np.ndarray:
    """Where the picture shows more than boxes, skeletons and labels, (H, W) bool."""
    told = (view.actions.people, view.actions.scene)
    return (view.image != draw_actions(IMAGE, view.people, *told)).any(axis=-1)


def outlined(view: LiveView) -> set[int]:
    """Who has all four sides of a box drawn around, not the corners only."""
    more = changed(view)
    found = set()
    for person in view.people:
        x1, y1, x2, y2 = (round(float(v)) for v in person.box)
        left = more[y1 + 2 : y2 - 2, max(x1 - 2, 0) : x1 + 3].any(axis=1).mean()
        right = more[y1 + 2 : y2 - 2, x2 - 2 : x2 + 3].any(axis=1).mean()
        if min(left, right) > 0.4:
            found.add(person.id)
    return found


def test_a_cell_marks_its_two_people_in_the_picture(watched: Watched) -> None:
    watched.attention.choose(1, 3)
    _, own = watched.full()
    weights = own.select(1, 3)
    others = own.person[:, None] != own.person[None]
    row, column = np.unravel_index((weights * others).argmax(), weights.shape)
    pair = watched.attention.pick(own.names[row], own.names[column])
    assert pair == Pair(
        int(own.person[row]),
        int(own.person[column]),
        pytest.approx(float(weights[row, column]), abs=1e-5),
        pytest.approx(float(own.times[row])),
        pytest.approx(float(own.times[column])),
    )
    marked = [watched.step()[0] for _ in range(round(MARKED * RATE) + 5)]
    assert outlined(marked[0]) == {pair.looks, pair.seen}
    while_marked = [bool(outlined(v)) for v in marked]
    assert while_marked == [True] * round(MARKED * RATE) + [False] * 5
    assert not changed(marked[-1]).any()


def test_a_cell_of_people_marks_them_by_their_share(watched: Watched) -> None:
    _, own = watched.full()
    people, weights = own.between_people()
    pair = watched.attention.pick(f"Person {people[2]}", f"Person {people[0]}")
    assert (pair.looks, pair.seen) == (people[2], people[0]) and pair.looks_at is None
    assert pair.weight == pytest.approx(float(weights[2, 0]), abs=1e-5)
    assert outlined(watched.step()[0]) == {people[0], people[2]}
    same = watched.attention.pick(f"Person {people[1]}", f"Person {people[1]}")
    assert outlined(watched.step()[0]) == {same.seen}


def test_a_cell_that_has_left_the_map_marks_nobody(watched: Watched) -> None:
    assert watched.attention.pick("P(0.0, 1)", "P(0.0, 2)") is None
    _, own = watched.full()
    assert watched.attention.pick("P(-3.0, 1)", own.names[0]) is None
    assert watched.attention.pick("Person 77", "<script>") is None
    assert watched.attention.pick(own.names[1], own.names[0], 99.0) is None
    assert not changed(watched.step()[0]).any()


def test_a_click_a_moment_after_the_map_has_moved_on_still_counts(watched: Watched) -> None:
    _, own = [watched.full() for _ in range(3)][-1]
    clicked = newest_maps(watched.attention, plots=True)[1].layout.meta["newest"]
    _, later = watched.full()
    cell = own.names[0], own.names[-1]
    assert cell[0] not in later.names and watched.attention.pick(*cell) is None
    pair = watched.attention.pick(*cell, clicked)
    assert (pair.looks, pair.seen) == (int(own.person[0]), int(own.person[-1]))
    assert pair.weight == pytest.approx(float(own.select()[0, -1]), abs=1e-5)


def cell_between(own: Attention, choice: tuple) -> tuple[int, int]:
    """The cell of two different people with most attention."""
    weights = own.select(*choice)
    others = own.person[:, None] != own.person[None]
    return np.unravel_index((weights * others).argmax(), weights.shape)


@pytest.mark.parametrize("choice", [(None, None), (1, 3)])
def test_inside_a_clicked_cell_are_the_tokens_that_add_up_to_it(
    watched: Watched, engine: Engine, choice: tuple
) -> None:
    watched.attention.choose(*choice)
    _, own = watched.full()
    row, column = cell_between(own, choice)
    watched.attention.pick(own.names[row], own.names[column])
    for _ in range(2 * RATE):  # the camera goes on before the model is asked
        watched.step()
    inside = tokens_of(watched.attention, engine)
    assert shown(inside).sum(axis=1).mean() == pytest.approx(
        float(own.select(*choice)[row, column]), abs=2e-4
    )
    titles = (inside.layout.yaxis.title.text, inside.layout.xaxis.title.text)
    assert titles == (f"looks: {own.names[row]}", f"looked at: {own.names[column]}")
    assert "global" in inside.data[0].x and "left arm" in inside.data[0].y
    watched.attention.choose(0, 6)  # of the same pair
    other = shown(tokens_of(watched.attention, engine)).sum(axis=1).mean()
    assert other == pytest.approx(float(own.select(0, 6)[row, column]), abs=2e-4)


def test_a_cell_of_people_opens_its_strongest_two_sequences(
    watched: Watched, engine: Engine
) -> None:
    _, own = watched.full()
    watched.attention.pick("Person 3", "Person 1")
    inside = shown(tokens_of(watched.attention, engine)).sum(axis=1).mean()
    theirs = own.select()[np.ix_(own.person == 3, own.person == 1)]
    assert inside == pytest.approx(float(theirs.max()), abs=2e-4)


def test_nobody_asks_the_model_for_what_is_inside_before_a_click(
    watched: Watched, engine: Engine, monkeypatch
) -> None:
    asked = []
    monkeypatch.setattr(live_tokens, "look_again", lambda *given: asked.append(given))
    _, own = watched.full()
    text = tokens_of(watched.attention, engine).layout.annotations[0].text
    assert not asked and "Click a cell" in text
    watched.attention.pick(own.names[0], own.names[-1])
    assert "left of that moment" in tokens_of(watched.attention, engine).layout.annotations[0].text
    assert len(asked) == 1


def test_under_the_mouse_the_map_says_what_both_people_do(watched: Watched) -> None:
    view, own = watched.full()
    sequences = newest_maps(watched.attention, plots=True)[1]
    told = sequences.data[0].customdata
    for i, j in ((0, len(own.times) - 1), (3, 1)):
        for said, place in zip(told[i][j], (i, j), strict=True):
            assert said.startswith(f"Person {own.person[place]} at {own.times[place]:.1f} s: ")
    newest = view.actions.people[int(own.person[-1])]
    assert f"{newest.label} ({newest.score:.0%})" in told[0][-1][1]


def test_who_points_at_a_map_gets_the_skeletons_of_its_sequences(watched: Watched) -> None:
    _, own = watched.full()
    found = watched.attention.window(newest(own))
    told = json.loads(scene_data.window(found.recording, found.log, found.key, own, own.select()))
    spots = [(s["person"], s["time"]) for s in told["spots"]]
    expected = zip(own.person.tolist(), np.round(own.times, 3).tolist(), strict=True)
    assert spots == list(expected)
    assert all(any(s["poses"]) for s in told["spots"]) and told["limbs"]
    assert {s["label"] for s in told["spots"]} <= {"walk", "run"}
    assert watched.attention.window(77.0) is None


def test_switched_off_nothing_of_it_is_worked_out(watched: Watched) -> None:
    watched.full()
    watched.attention.wanted = False
    off = [watched.step()[0] for _ in range(3 * RATE)]
    fresh = [v for v in off if v.actions.fresh]
    assert len(fresh) > 2 and all(v.actions.attention is None for v in fresh)
    assert len({v.maps for v in off}) == 1
    assert all(p.label for p in off[-1].actions.people.values())  # labels go on
    arcs = [watched.step(arcs=True)[0] for _ in range(RATE)]
    assert arcs[-1].actions.attention is not None  # arcs need it, without maps
    watched.attention.wanted = True
    assert watched.until(lambda _: watched.anew)


def test_a_new_stream_forgets_the_old_ones_pair_and_map(watched: Watched) -> None:
    _, own = watched.full()
    watched.attention.pick(own.names[0], own.names[-1])
    watched.stream.reset()
    assert watched.attention.shown is None and watched.attention.marked(0.0) is None
    assert watched.attention.pick(own.names[0], own.names[-1]) is None


def test_the_page_of_a_folder_of_scripts_and_styles_is_whole() -> None:
    """What the layout reads must be there when the app is installed elsewhere."""
    here = Path(live_tab.__file__).parent
    assert all((here / name).is_file() for name in (*live_tab._SCRIPTS, "live.css"))
