"""Section 3.2 of the paper: key frames, linking by IoU, resampling on time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skeletr.batch import collate
from skeletr.coordinates import model_input, normalise
from skeletr.recording import Recording
from skeletr.sequences import (
    SequenceConfig,
    build_sequences,
    horizon,
    in_window,
    key_times,
    nearest_boxes,
    sequences_at,
)
from skeletr.skeleton import BODY_JOINTS
from tests.synthetic import scene

CONFIG = SequenceConfig()
WRIST = 9


def regular(fps: float = 20.0, seconds: float = 4.0) -> np.ndarray:
    return np.arange(int(seconds * fps)) / fps


def test_a_key_frame_every_half_sequence_and_a_sequence_for_each_skeleton():
    sequences = build_sequences(scene([150, 400], regular()), CONFIG)
    keys = np.unique(sequences.times)
    assert np.allclose(np.diff(keys), 15 / 20)
    assert len(sequences) == 2 * len(keys)
    assert sequences.keypoints.shape == (len(sequences), 30, 17, 3)
    whole = sequences.observed[(sequences.times > 0) & (sequences.times < 3)]
    assert np.allclose(whole, 1)


def test_at_the_models_own_rate_nothing_is_changed():
    recording = scene([300], regular())
    sequence = sequences_at(recording, 1.5, CONFIG)
    expected = recording.keypoints[15:45]
    assert np.allclose(sequence.keypoints[0], expected, atol=1e-3)


@pytest.mark.parametrize("fps", [8.0, 12.5, 30.0, 60.0])
def test_any_frame_rate_gives_nearly_the_same_sequences(fps):
    reference = sequences_at(scene([300], regular()), 1.5, CONFIG)
    other = sequences_at(scene([300], regular(fps)), 1.5, CONFIG)
    assert other.observed[0] == 1
    assert np.abs(other.keypoints - reference.keypoints)[..., :2].mean() < 1.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_irregular_times_are_handled_as_times(seed):
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.02, 0.09, 120))
    speed = 60.0
    recording = scene([100], times, speed=speed)
    key = float(key_times(times[0], times[-1], CONFIG)[2])
    sequence = sequences_at(recording, key, CONFIG)
    grid = key + (np.arange(30) - 15) / 20
    hip = sequence.keypoints[0, :, 11]
    seen = hip[:, 2] > 0
    assert seen.all()
    assert np.allclose(hip[:, 0], 114 + speed * grid, atol=0.5)


def test_linking_survives_wrong_identities():
    recording = scene([150, 450], regular())
    swapped = recording.person.copy()
    late = recording.times > 1.5
    swapped[late] = 1 - swapped[late]
    broken = replace(recording, person=swapped)
    good, bad = (sequences_at(r, 1.5, CONFIG) for r in (recording, broken))
    assert np.allclose(good.keypoints, bad.keypoints)


def test_each_sequence_stays_on_its_person_when_the_order_in_the_frames_changes():
    recording = scene([150, 450], regular())
    frames = [
        replace(f, people=f.people[::-1] if i % 2 else f.people)
        for i, f in enumerate(recording.frames())
    ]
    mixed = Recording.from_frames(frames, recording.image_size)
    sequences = sequences_at(mixed, 1.5, CONFIG)
    for keypoints, box in zip(sequences.keypoints, sequences.boxes, strict=True):
        x = keypoints[:, 0, 0]
        assert x.max() - x.min() < 5
        assert box[0] < x.mean() < box[2]


def test_a_short_gap_is_bridged_and_a_long_one_is_not():
    recording = scene([300], regular())
    for gap, bridged in ((0.4, True), (0.9, False)):
        hidden = (recording.times > 1.6) & (recording.times < 1.6 + gap)
        keep = ~hidden
        part = replace(
            recording,
            frame=recording.frame[keep],
            person=recording.person[keep],
            keypoints=recording.keypoints[keep],
            boxes=recording.boxes[keep],
        )
        sequence = sequences_at(part, 1.5, CONFIG)
        assert bool(sequence.observed[0] == 1) is bridged
        unseen = (sequence.keypoints[0, ..., 2] == 0).all(axis=-1)
        assert np.count_nonzero(sequence.keypoints[0][unseen]) == 0


def test_a_missing_joint_is_missing_and_does_not_spoil_the_others():
    recording = scene([300], regular())
    keypoints = recording.keypoints.copy()
    keypoints[:, WRIST] = (0, 0, 0)
    keypoints[:, 10, 0] = np.nan
    sequence = sequences_at(replace(recording, keypoints=keypoints), 1.5, CONFIG)
    assert np.count_nonzero(sequence.keypoints[:, :, [WRIST, 10]]) == 0
    assert np.isfinite(sequence.keypoints).all()
    assert (sequence.keypoints[0, :, 11, 2] == 1).all()


def test_unused_joints_are_left_out():
    recording = scene([300], regular())
    recording.keypoints[:, 1] = (300, 100, 1)
    sequence = sequences_at(recording, 1.5, CONFIG)
    unused = [j for j in range(17) if j not in BODY_JOINTS]
    assert np.count_nonzero(sequence.keypoints[:, :, unused]) == 0
    everything = sequences_at(recording, 1.5, replace(CONFIG, joints=range(17)))
    assert (everything.keypoints[0, :, 1, 2] == 1).all()


def test_frames_without_people_give_no_sequences_but_keep_the_time():
    times = regular()
    assert len(build_sequences(scene([], times), CONFIG)) == 0
    assert len(build_sequences(scene([], times[:0]), CONFIG)) == 0


def test_a_rolling_buffer_gives_the_same_as_the_whole_recording():
    recording = scene([120, 300, 500], np.cumsum(np.full(150, 0.037)), speed=10)
    whole = build_sequences(recording, CONFIG)
    for key in key_times(recording.start, recording.end, CONFIG):
        ready = recording.frame_times >= horizon(key, CONFIG)
        end = recording.frame_times[ready][0] if ready.any() else recording.end
        buffer = recording.between(key - CONFIG.before - CONFIG.max_gap - 0.001, end)
        part = sequences_at(buffer, key, CONFIG)
        same = whole.take(np.isclose(whole.times, key))
        assert np.array_equal(part.keypoints, same.keypoints)
        assert np.array_equal(part.person, same.person)


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7])
@pytest.mark.parametrize("shift", [-80, 0, 120])
def test_person_normalisation_ignores_place_and_size(scale, shift):
    reference = sequences_at(scene([300], regular()), 1.5, CONFIG)
    other = sequences_at(scene([300 + shift], regular(), height=200 * scale), 1.5, CONFIG)
    assert np.allclose(normalise(reference, CONFIG), normalise(other, CONFIG), atol=1e-4)


PAIR = replace(CONFIG, normalise="pair")


@given(st.floats(0.5, 3.0), st.floats(-300, 300))
@settings(max_examples=25, deadline=None)
def test_pair_normalisation_ignores_where_the_two_are_and_how_large(scale, shift):
    recording = scene([200, 320], regular())
    points = recording.keypoints.copy()
    points[..., :2] = points[..., :2] * scale + np.where(points[..., 2:] > 0, shift, 0)
    moved = replace(recording, keypoints=points, boxes=recording.boxes * scale + shift)
    reference, other = (normalise(build_sequences(r, PAIR), PAIR) for r in (recording, moved))
    assert np.allclose(reference, other, atol=1e-4)


def test_a_pair_shares_its_coordinates_and_strangers_do_not():
    times = regular()
    near = build_sequences(scene([200, 320, 620], times), PAIR)
    x = normalise(near, PAIR)
    left, right, apart = (near.keypoints[near.person == p][0] for p in range(3))
    one, other, third = (x[near.person == p][0] for p in range(3))
    seen = (left[..., 2] > 0) & (right[..., 2] > 0)
    # One scale and one origin: what lies between the two in the picture lies between them here.
    offset = (right - left)[..., :2][seen] / 95  # half the size of these people
    assert np.allclose((other - one)[..., :2][seen], offset, atol=0.05)
    assert np.allclose(third, normalise(near, CONFIG)[near.person == 2][0], atol=1e-6)
    assert (apart[..., 2] > 0).any()


def test_whoever_is_alone_has_the_coordinates_of_one_person():
    alone = build_sequences(scene([200], regular()), PAIR)
    assert np.array_equal(normalise(alone, PAIR), normalise(alone, CONFIG))


def test_a_neighbour_counts_also_when_he_is_not_among_the_sequences_any_more():
    found = build_sequences(scene([200, 320], regular()), PAIR)
    mine = found.person == 0
    assert np.array_equal(normalise(found, PAIR)[mine], normalise(found.take(mine), PAIR))


def test_the_nearest_wins_and_distance_is_in_bodies():
    boxes = np.array([[0, 0, 50, 100], [60, 0, 110, 100], [130, 0, 180, 100], [900, 0, 950, 100]])
    assert nearest_boxes(boxes)[:, 0].tolist() == [60, 0, 60, 900]
    assert nearest_boxes(boxes * 7)[:, 0].tolist() == [420, 0, 420, 6300]
    order = np.array([3, 1, 0, 2])
    assert np.array_equal(nearest_boxes(boxes[order]), nearest_boxes(boxes)[order])


def test_image_normalisation_is_that_of_the_paper():
    config = replace(CONFIG, normalise="image")
    sequence = sequences_at(scene([160], regular()), 1.5, config)
    x = normalise(sequence, config)
    assert x[0, 0, 11, 0] == pytest.approx((160 + 14 - 320) / 320, abs=1e-4)
    assert x[0, 0, 11, 1] == pytest.approx(0, abs=1e-4)
    assert np.count_nonzero(x[0, :, 1]) == 0


def test_a_crowded_window_keeps_the_newest_sequences():
    config = replace(CONFIG, max_sequences=4)
    sequences = build_sequences(scene([100, 300, 500], regular()), config)
    chosen = in_window(sequences, 2.25, config)
    assert len(chosen) == 4
    assert (chosen.times == 2.25).sum() == 3
    assert (chosen.times == 1.5).sum() == 1


def test_window_input_and_padding():
    recording = scene([100, 300], regular())
    sequences = build_sequences(recording, CONFIG)
    chosen = in_window(sequences, 2.25, CONFIG)
    x, embedding = model_input(chosen, 2.25, CONFIG)
    assert x.dtype == embedding.dtype == np.float32
    assert embedding[:, 4].max() == pytest.approx(1)
    assert embedding[:, 4].min() >= 0
    batch = collate([(x, embedding), (x[:1], embedding[:1]), (x[:0], embedding[:0])], 30)
    assert batch.x.shape == (3, len(chosen), 30, 17, 3)
    assert batch.mask.sum(dim=1).tolist() == [len(chosen), 1, 0]


@pytest.mark.parametrize(
    "wrong",
    [{"frames": 1}, {"rate": 0}, {"normalise": "torso"}, {"joints": (17,)}, {"max_sequences": 0}],
)
def test_a_configuration_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError):
        SequenceConfig(**wrong)
