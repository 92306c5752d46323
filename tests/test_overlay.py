"""The overlay: stays in the frame, keeps labels apart, colours people steadily."""

from __future__ import annotations

import numpy as np
import pytest

from skeletr.actions import Attention, Prediction, Status, nothing
from skeletr.overlay import OverlayStyle, Veil, draw_actions, person_color, person_hex
from skeletr.overlay.draw import most_looked_at
from skeletr.overlay.labels import Part, chip, paste, place
from skeletr.recording import UNTRACKED, Person
from tests.synthetic import scene


def person(id: int, left: float = 40, top: float = 40, score: float = 0.9) -> Person:
    x = np.linspace(left, left + 40, 17)
    y = np.linspace(top, top + 80, 17)
    return Person.from_keypoints(np.stack([x, y, np.full(17, score)], 1), id)


def says(label: str, score: float = 0.8) -> Prediction:
    return Prediction(Status.OK, np.array([score, 1 - score], np.float32), label, score)


def blank(width: int = 320, height: int = 240) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


def test_draws_on_a_copy() -> None:
    image = blank()
    out = draw_actions(image, [person(1)], {1: says("waving")}, says("waving"))
    assert out.shape == image.shape and out.dtype == np.uint8
    assert (image == 128).all()
    assert (out != image).any()


def test_nothing_to_draw_gives_the_frame() -> None:
    assert (draw_actions(blank(), []) == blank()).all()


def test_a_person_has_one_colour_and_neighbours_differ() -> None:
    colors = [person_color(i) for i in range(1, 11)]
    assert len(set(colors)) == 10
    assert person_color(3) == person_color(13)
    assert person_color(UNTRACKED) not in colors
    assert person_hex(1) == "#{:02x}{:02x}{:02x}".format(*person_color(1))
    drawn = draw_actions(blank(), [person(2)], style=OverlayStyle(labels=False))
    away = np.abs(drawn.reshape(-1, 3).astype(int) - person_color(2)).max(axis=1)
    assert away.min() < 30  # thin lines are blended with what is around them


def test_joints_with_a_low_score_are_left_out() -> None:
    style = OverlayStyle(boxes=False, labels=False, joint_score=0.5)
    assert (draw_actions(blank(), [person(1, score=0.4)], style=style) == blank()).all()
    assert (draw_actions(blank(), [person(1, score=0.6)], style=style) != blank()).any()


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.OK])
def test_reasons_are_shown(status: Status) -> None:
    shown = draw_actions(blank(), [], scene=nothing(status, ("a", "b")))
    assert (shown != blank()).any()


def test_labels_stay_in_the_frame_and_apart() -> None:
    taken: list = []
    for left in (5, 10, 15, 20, 300, 318):
        box = np.array([left, 2, left + 30, 200], np.float32)
        rect = place((90, 20), box, (320, 240), taken)
        assert rect[0] >= 0 and rect[1] >= 0 and rect[2] <= 320 and rect[3] <= 240
        for other in taken:
            assert (
                rect[2] <= other[0]
                or other[2] <= rect[0]
                or rect[3] <= other[1]
                or (other[3] <= rect[1])
            )
        taken.append(rect)


def test_a_crowd_without_room_for_all_labels_is_still_drawn() -> None:
    people = [person(i, left=i % 5) for i in range(1, 40)]
    draw_actions(blank(100, 60), people, {p.id: says("something long to say") for p in people})


@pytest.mark.parametrize("text", ["", "日本語 😀 \u202e\x00", "x" * 500, "two\nlines"])
def test_any_text_fits(text: str) -> None:
    patch = chip((Part("1", (0, 0, 0)), Part(text, (9, 9, 9))), 14, 120)
    assert patch.shape[1] <= 120 and patch.shape[2] == 4


def test_pasting_over_the_edge_is_cut_off() -> None:
    patch = np.full((10, 10, 4), 255, np.uint8)
    image = blank(20, 20)
    for x, y in ((-5, -5), (15, 15), (50, 50), (-50, 0)):
        paste(image, patch, x, y)
    assert (image[:5, :5] == 255).all() and (image[15:, 15:] == 255).all()
    assert (image[8:12, 8:12] == 128).all()


def test_broken_joints_and_boxes_do_not_stop_the_rest() -> None:
    broken = Person(np.full((17, 3), np.nan, np.float32), np.full(4, np.nan, np.float32), 1)
    far = person(2, left=1e9)
    assert (draw_actions(blank(), [broken, far, person(3)]) != blank()).any()


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (161, 91), (1280, 720)])
def test_every_size(size: tuple[int, int]) -> None:
    out = draw_actions(blank(*size), [person(1)], {1: says("sitting")}, says("sitting"))
    assert out.shape == (size[1], size[0], 3)


def test_in_a_crowd_arcs_go_to_whom_a_person_looks_at_most() -> None:
    assert most_looked_at(np.array([0.5, 0.1, 0.3, 0.1]), 0) == [2, 1]
    assert most_looked_at(np.array([0.5, 0.1, 0.3, 0.1]), 2) == [0, 1]
    assert most_looked_at(np.array([0.4, 0.6]), 1) == [0]
    assert most_looked_at(np.array([1.0]), 0) == []


def test_attention_arcs_join_people_that_look_at_each_other() -> None:
    weights = np.array([[0.2, 0.8], [0.05, 0.95]], np.float32)[None, None]
    attention = Attention(weights, np.array([0.0, 0.0]), np.array([1, 2]))
    people = [person(1), person(2, left=200)]
    with_arcs = draw_actions(blank(), people, attention=attention, style=OverlayStyle(arcs=True))
    without = draw_actions(blank(), people, attention=attention)
    assert (with_arcs[:, 100:180] != without[:, 100:180]).any()


def test_faces_are_blurred_and_nothing_else_is():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (240, 320, 3), dtype=np.uint8)
    keypoints = np.zeros((17, 3), np.float32)
    keypoints[0], keypoints[5], keypoints[6] = (160, 60, 0.9), (185, 100, 0.9), (135, 100, 0.9)
    keypoints[11], keypoints[12] = (175, 190, 0.9), (145, 190, 0.9)
    style = OverlayStyle(
        boxes=False, skeletons=False, labels=False, caption=False, picture="faces blurred"
    )
    drawn = draw_actions(image, [Person.from_keypoints(keypoints, 1)], style=style)
    changed = (drawn != image).any(axis=-1)
    assert changed[50:70, 150:170].mean() > 0.9
    assert drawn[50:70, 150:170].std() < 0.5 * image[50:70, 150:170].std()
    assert not changed[130:].any() and not changed[:, :100].any()
    headless = keypoints.copy()
    headless[0] = 0
    same = draw_actions(image, [Person.from_keypoints(headless, 1)], style=style)
    assert np.array_equal(same, image)


def test_people_are_blurred_from_head_to_foot_and_the_room_is_not():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (240, 320, 3), dtype=np.uint8)
    joints = scene([160], np.zeros(1), height=150, image_size=(320, 240)).keypoints[0]
    style = OverlayStyle(
        boxes=False, skeletons=False, labels=False, caption=False, picture="people blurred"
    )
    drawn = draw_actions(image, [Person.from_keypoints(joints, 1)], style=style)
    seen = joints[joints[:, 2] > 0].astype(int)
    assert len(seen) == 13
    for x, y, _ in seen:
        around = np.s_[y - 4 : y + 5, x - 4 : x + 5]
        assert drawn[around].std() < 0.5 * image[around].std()
    assert np.array_equal(drawn[:, :90], image[:, :90])
    assert np.array_equal(drawn[:, 240:], image[:, 240:])
    assert image.std() > 60  # the picture that was given is as it was


def test_on_a_plain_background_nothing_of_the_picture_is_left():
    rng = np.random.default_rng(1)
    person = Person.from_keypoints(np.full((17, 3), (50, 60, 0.9), np.float32), 1)
    style = OverlayStyle(picture="skeletons only")
    first, second = (
        draw_actions(rng.integers(0, 255, (120, 160, 3), dtype=np.uint8), [person], style=style)
        for _ in range(2)
    )
    assert np.array_equal(first, second)
    assert (first != first[0, -1]).any()
    with pytest.raises(ValueError, match="expected one of"):
        OverlayStyle(picture="naked")


def test_who_is_hidden_is_blurred_and_not_drawn():
    image = np.random.default_rng(2).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    style = OverlayStyle(picture="people blurred")
    drawn = draw_actions(image, [], style=style, hidden=[person(0, left=150)])
    changed = (drawn != image).any(axis=-1)
    assert changed[60:100, 155:185].mean() > 0.9 and not changed[:, :120].any()
    assert np.array_equal(draw_actions(image, [], hidden=[person(0)]), image)


def test_somebody_missed_beside_another_stays_hidden_for_a_moment():
    veil, both = Veil(), (person(0, left=40), person(0, left=70))
    assert veil.cover(both, 0.0) == both
    assert {p.box[0] for p in veil.cover(both[:1], 0.1)} == {40, 70}
    assert {p.box[0] for p in veil.cover(both[:1], 0.3)} == {40, 70}
    assert {p.box[0] for p in veil.cover(both[:1], 0.4)} == {40}


def test_at_few_frames_a_second_one_miss_is_covered_and_two_are_not():
    veil = Veil()
    veil.cover([person(0)], 0.0)
    assert len(veil.cover([], 1.0)) == 1
    assert len(veil.cover([], 2.0)) == 0
    veil.cover([person(0)], 3.0)
    veil.reset()
    assert veil.cover([], 3.1) == ()


def test_who_moves_is_hidden_where_they_are_and_broken_boxes_are_left_out():
    veil = Veil()
    for step in range(10):
        covered = veil.cover([person(0, left=40 + 5 * step)], step / 15)
        assert [float(p.box[0]) for p in covered] == [40 + 5 * step]
    broken = Person(np.full((17, 3), np.nan, np.float32), np.full(4, np.nan, np.float32), 1)
    assert Veil().cover([broken], 0.0) == ()
