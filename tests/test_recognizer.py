"""The streaming recogniser: streaming equals offline, averaging, honest reasons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from skeletr.actions import ActionLog, Status, Track, decide, nothing
from skeletr.checkpoint import Calibration, Checkpoint
from skeletr.coordinates import model_input
from skeletr.model import SkeleTR, SkeleTRConfig
from skeletr.model.config import BackboneConfig
from skeletr.recognizer import Recognizer, RecognizerConfig
from skeletr.recording import Person
from skeletr.sequences import SequenceConfig, build_sequences, in_window, key_times
from skeletr.skeleton import keypoint_boxes
from tests.synthetic import scene

pytestmark = pytest.mark.usefixtures("in_float32")

LABELS = ("stand", "wave", "walk")


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    torch.manual_seed(0)
    config = SkeleTRConfig(
        backbone=BackboneConfig((12, 24), (1, 2)), instance_classes=3, scene_classes=3
    )
    return Checkpoint(
        SkeleTR(config).eval(), LABELS, SequenceConfig(), Calibration(temperature=2, threshold=0)
    )


def feed(recognizer: Recognizer, recording) -> list:
    size = recording.image_size
    return [recognizer.step(f.people, f.time, size) for f in recording.frames()]


def times(seconds: float, fps: float = 20.0) -> np.ndarray:
    return np.arange(int(seconds * fps)) / fps


def test_streaming_equals_offline(checkpoint):
    rng = np.random.default_rng(3)
    recording = scene([100, 300, 500], np.cumsum(rng.uniform(0.02, 0.08, 200)), speed=5)
    recognizer = Recognizer(checkpoint)
    feed(recognizer, recording)
    log = recognizer.finish()

    config = checkpoint.sequences
    sequences = build_sequences(recording, config)
    sums = {}
    for key in key_times(recording.start, recording.end, config):
        window = in_window(sequences, key, config)
        x, embedding = (torch.from_numpy(a) for a in model_input(window, key, config))
        mask = torch.ones(1, len(x), dtype=torch.bool)
        with torch.no_grad():
            tokens = checkpoint.model.tokens(x)
            output = checkpoint.model.relate(tokens[None], embedding[None], mask)
        scores = torch.softmax(output.instance[0] / 2, dim=-1).numpy()
        for person, time, score in zip(window.person, window.times, scores, strict=True):
            sums.setdefault((int(person), round(time, 6)), []).append(score)
    for person, track in log.people.items():
        assert len(track.times) == len(key_times(recording.start, recording.end, config))
        for time, prediction in zip(track.times, track.predictions, strict=True):
            expected = np.mean(sums[person, round(float(time), 6)], axis=0)
            assert np.allclose(prediction.scores, expected, atol=1e-4)


def test_attention_is_between_the_sequences_of_the_window(checkpoint):
    recognizer = Recognizer(checkpoint)
    answers = feed(recognizer, scene([100, 400], times(6)))
    attention = answers[-1].attention
    assert attention.weights.shape == (2, 8, len(attention.times), len(attention.times))
    assert np.allclose(attention.weights.sum(axis=-1), 1, atol=1e-5)
    assert attention.person.tolist() == sorted(attention.person)
    people, between = attention.between_people(layer=1, head=3)
    assert people == [0, 1]
    assert np.allclose(between.sum(axis=1), 1, atol=1e-5)
    assert attention.names[0].startswith("P(")


def test_labels_come_after_the_first_sequence_and_say_why_before(checkpoint):
    answers = feed(Recognizer(checkpoint), scene([300], times(3)))
    assert answers[0].people[0].status is Status.NOT_ENOUGH_FRAMES
    first = next(a for a in answers if a.people[0].status is Status.OK)
    assert first.time == pytest.approx(0.7, abs=0.06)
    assert first.fresh


def test_nobody_is_said_so_and_comes_and_goes(checkpoint):
    recognizer = Recognizer(checkpoint)
    for time in times(2):
        answer = recognizer.step((), time, (640, 480))
    assert answer.people == {}
    assert answer.scene.status is Status.NOBODY
    assert answer.attention is None
    late = scene([300], times(3))
    for frame in late.frames():
        answer = recognizer.step(frame.people, 2 + frame.time, (640, 480))
    assert answer.people[0].status is Status.OK
    for time in times(8):
        answer = recognizer.step((), 5 + time, (640, 480))
    assert answer.scene.status is Status.NOBODY


def leaves(checkpoint, stay: float, away: float, config=RecognizerConfig()):
    """Somebody is there for `stay` seconds, then nobody for `away` seconds."""
    recognizer = Recognizer(checkpoint, config)
    recording = scene([300], times(stay + away))
    answers = [
        recognizer.step(f.people if f.time < stay else (), f.time, recording.image_size)
        for f in recording.frames()
    ]
    return recognizer, answers


def test_an_empty_room_has_no_scene_soon_after_the_last_has_left(checkpoint):
    recognizer, answers = leaves(checkpoint, 4.0, 4.0)
    there = [a for a in answers if 1.5 < a.time < 4.0]
    assert all(a.scene.status is Status.OK for a in there)
    gap, interval = checkpoint.sequences.max_gap, checkpoint.sequences.interval
    gone = [a for a in answers if a.time > 4.0 + gap]
    assert gone and all(a.scene.status is Status.NOBODY for a in gone)
    log = recognizer.finish()
    scene_says = dict(zip(log.scene.times.round(3), log.scene.predictions, strict=True))
    for time, prediction in scene_says.items():
        if time < 4.0:
            assert prediction.status is Status.OK
        elif time > 4.0 + 2 * interval:
            assert prediction.status is Status.NOBODY and not prediction.scores.any()
    for answer in gone:  # the file shows what was said live
        assert log.at(answer.time)[1].status is Status.NOBODY


def test_who_is_overlooked_for_a_moment_leaves_no_empty_room(checkpoint):
    recognizer, recording = Recognizer(checkpoint), scene([300], times(6))
    interval = checkpoint.sequences.interval
    for frame in recording.frames():
        missed = abs(frame.time - 4 * interval) < 0.13  # a key frame, and a frame or two around it
        answer = recognizer.step(() if missed else frame.people, frame.time, recording.image_size)
        assert frame.time < 2 or answer.scene.status is Status.OK
    found = recognizer.finish().scene
    assert all(p.status is Status.OK for p in found.predictions)


def test_a_room_that_empties_and_fills_again_is_watched_anew(checkpoint):
    recognizer, _ = leaves(checkpoint, 3.0, 3.0)
    late = scene([300], times(3))
    back = [recognizer.step(f.people, 6.0 + f.time, late.image_size) for f in late.frames()]
    assert back[0].scene.status is Status.NOT_ENOUGH_FRAMES
    assert back[-1].scene.status is Status.OK
    assert recognizer.finish().at(5.5)[1].status is not Status.OK


def test_threshold_and_attention_change_while_it_runs_and_nothing_is_forgotten(checkpoint):
    recording = scene([100, 400], times(8))
    changed, plain = Recognizer(checkpoint), Recognizer(checkpoint)
    for frame in recording.frames():
        changed.attends = not 3 < frame.time < 5
        changed.threshold = 1.0 if frame.time < 6 else 0.0
        answer = changed.step(frame.people, frame.time, recording.image_size)
        plain.step(frame.people, frame.time, recording.image_size)
        if answer.fresh:
            assert (answer.attention is not None) == changed.attends
    a, b = changed.finish(), plain.finish()
    assert [label for label, _ in a.overall()] == [label for label, _ in b.overall()]
    assert np.allclose([s for _, s in a.overall()], [s for _, s in b.overall()], atol=1e-5)
    kept = {round(t, 3) for t, _ in a.attention}
    assert kept < {round(t, 3) for t, _ in b.attention} and len(kept) > 3


def test_too_little_of_a_body_is_not_guessed_at(checkpoint):
    recording = scene([300], times(3))
    recording.keypoints[:, 5:] = 0
    answers = feed(Recognizer(checkpoint), recording)
    assert answers[-1].people[0].status is Status.TOO_FEW_JOINTS
    assert answers[-1].people[0].text == "too few joints"


def test_below_the_threshold_it_is_unknown(checkpoint):
    recognizer = Recognizer(checkpoint, RecognizerConfig(threshold=1.0))
    answers = feed(recognizer, scene([300], times(3)))
    prediction = answers[-1].people[0]
    assert prediction.status is Status.UNKNOWN
    assert prediction.text == "unknown"
    assert prediction.label in LABELS
    assert decide(np.array([0.2, 0.5, 0.3]), LABELS, 0.4).text == "wave"


def test_every_person_of_the_frame_is_answered_under_its_own_id(checkpoint):
    recording = scene([100, 300, 500], times(3))
    renamed = replace(recording, person=recording.person * 10 + 7)
    answers = feed(Recognizer(checkpoint), renamed)
    assert set(answers[-1].people) == {7, 17, 27}
    plain = feed(Recognizer(checkpoint), recording)
    for person in range(3):
        a, b = answers[-1].people[person * 10 + 7], plain[-1].people[person]
        assert np.allclose(a.scores, b.scores)


def test_nobody_interacts_alone(checkpoint):
    alone, pair = scene([300], times(3)), scene([200, 400], times(3))
    social = Recognizer(replace(checkpoint, interactions=("wave",)))
    feed(social, alone)
    for prediction in social.finish().people[0].predictions:
        assert prediction.scores[1] == 0
        assert prediction.scores.sum() == pytest.approx(1, abs=1e-4)
    social.reset()
    feed(social, pair)
    plain = Recognizer(checkpoint)
    feed(plain, pair)
    for ours, theirs in zip(
        social.finish().people[0].predictions, plain.finish().people[0].predictions, strict=True
    ):
        assert np.allclose(ours.scores, theirs.scores)


def test_reset_forgets_and_time_must_increase(checkpoint):
    recognizer = Recognizer(checkpoint)
    recording = scene([300], times(3))
    feed(recognizer, recording)
    with pytest.raises(ValueError, match="must increase"):
        recognizer.step((), 1.0, (640, 480))
    before = recognizer.finish()
    recognizer.reset()
    feed(recognizer, recording)
    after = recognizer.finish()
    assert np.array_equal(before.people[0].times, after.people[0].times)
    assert before.overall() == after.overall()


def test_live_memory_is_bounded(checkpoint):
    config = RecognizerConfig(history=5.0, attention_kept=4)
    recognizer = Recognizer(checkpoint, config)
    feed(recognizer, scene([300], times(20, fps=10)))
    log = recognizer.log()
    assert log.people[0].times[0] > 20 - 5 - 2
    assert len(log.attention) == 4


def test_a_long_pause_in_the_stream_is_survived(checkpoint):
    recognizer = Recognizer(checkpoint)
    recording = scene([300], times(3))
    feed(recognizer, recording)
    for frame in recording.frames():
        answer = recognizer.step(frame.people, 1e7 + frame.time, (640, 480))
    assert answer.people[0].status is Status.OK


def test_what_was_decided_about_a_moment(checkpoint):
    recognizer = Recognizer(checkpoint)
    feed(recognizer, scene([100, 300], times(4)))
    log = recognizer.finish()
    people, whole = log.at(2.0)
    assert set(people) == {0, 1}
    assert whole.status is Status.OK
    assert log.at(100.0)[0] == {}
    scores = [score for _, score in log.overall()]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1, abs=1e-4)


def _track(*predictions) -> Track:
    return Track(np.arange(len(predictions)), predictions, 0.0, float(len(predictions)))


def _says(label: int, score: float, threshold: float = 0.4):
    scores = np.full(3, (1 - score) / 2)
    scores[label] = score
    return decide(scores, LABELS, threshold)


def test_a_moment_is_answered_by_the_nearest_key_frame():
    track = _track(*(_says(i % 3, 0.8) for i in range(5)))
    moments = np.linspace(-0.9, 4.9, 59)
    for moment in moments:
        nearest = track.predictions[np.abs(track.times - moment).argmin()]
        assert track.at(moment, 1.0) is nearest
    assert track.at(-1.1, 1.0) is track.at(5.1, 1.0) is _track().at(0.0, 1.0) is None


def test_who_waves_and_then_stands_has_waved():
    rests = ("stand",)
    track = _track(_says(0, 0.8), _says(1, 0.8), _says(0, 0.8))
    log = ActionLog(LABELS, 1.0, {1: track}, track, rests=rests)
    assert log.overall()[0][0] == "wave"
    assert sum(score for _, score in log.overall()) == pytest.approx(1)
    # A guess does not outweigh what is seen all the time, nor does a moment in a minute.
    for other in ([_says(1, 0.39)], [_says(1, 0.8)] + [_says(0, 0.8)] * 20):
        track = _track(_says(0, 0.8), _says(0, 0.8), *other)
        assert ActionLog(LABELS, 1.0, {}, track, rests=rests).overall()[0][0] == "stand"


def test_sure_moments_count_more():
    track = _track(_says(2, 0.95), _says(1, 0.41), _says(1, 0.41))
    assert ActionLog(LABELS, 1.0, {}, track).overall()[0][0] == "walk"
    assert ActionLog(LABELS, 1.0, {}, _track(nothing(Status.NOBODY, LABELS))).overall() == []


def test_people_without_ids_and_another_picture_size_are_refused(checkpoint):
    recognizer = Recognizer(checkpoint)
    people = [Person.from_keypoints(np.ones((17, 3)) * k) for k in (10, 50)]
    with pytest.raises(ValueError, match="expected different ones: pass them through a Tracker"):
        recognizer.step(people, 0.0, (640, 480))
    recognizer.step(people[:1], 0.0, (640, 480))
    with pytest.raises(ValueError, match="call reset"):
        recognizer.step(people[:1], 0.1, (480, 640))
    recognizer.reset()
    recognizer.step(people[:1], 0.1, (480, 640))


def test_a_checkpoint_of_several_labels_at_once_is_refused(checkpoint):
    several = replace(checkpoint, task={"name": "ava", "source": "store", "kind": "multilabel"})
    with pytest.raises(ValueError, match="several labels at once"):
        Recognizer(several)


def test_joints_that_are_no_numbers_were_not_seen():
    keypoints = np.random.default_rng(0).uniform(1, 100, (17, 3)).astype(np.float32)
    lost = keypoints.copy()
    lost[9, :2] = np.nan
    lost[10, 2] = np.inf
    zeroed = keypoints.copy()
    zeroed[[9, 10]] = 0
    person = Person.from_keypoints(lost)
    np.testing.assert_array_equal(person.keypoints, zeroed)
    np.testing.assert_array_equal(person.box, keypoint_boxes(zeroed))
    np.testing.assert_array_equal(keypoint_boxes(lost[:10]), keypoint_boxes(zeroed[:10]))


def test_who_comes_up_and_waves_has_waved():
    came = _track(_says(0, 0.9), _says(0, 0.9), _says(0, 0.9), _says(1, 0.6))
    assert ActionLog(LABELS, 1.0, {}, came).overall()[0][0] == LABELS[0]
    log = ActionLog(LABELS, 1.0, {}, came, passing=(LABELS[0],))
    assert log.overall()[0][0] == LABELS[1]
    # Who comes and does nothing that one could be sure of has come.
    came = _track(_says(0, 0.9), _says(0, 0.9), _says(1, 0.39))
    assert ActionLog(LABELS, 1.0, {}, came, passing=(LABELS[0],)).overall()[0][0] == LABELS[0]


def test_who_stands_and_was_once_taken_for_something_else_stands():
    rests = ("stand",)
    doubtful = np.array([0.45, 0.15, 0.4])  # stands; a little like walking, each time
    still = decide(doubtful, LABELS, 0.4)
    track = _track(*[still] * 8, _says(1, 0.45))  # waved once, perhaps
    log = ActionLog(LABELS, 1.0, {}, track, rests=rests)
    assert log.overall()[0][0] == "stand"
    order = [label for label, _ in log.overall()]
    assert order.index("wave") < order.index("walk")  # which was never surely said
