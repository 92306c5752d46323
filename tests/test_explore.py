"""What if, and attention at three grains: checked against the recogniser's own numbers."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from itertools import combinations

import numpy as np
import pytest
import torch

from skeletr import explore
from skeletr.actions import ActionLog, Attention, Status
from skeletr.checkpoint import Calibration, Checkpoint
from skeletr.evidence import EvidenceKeeper
from skeletr.explore import Explorer, compare
from skeletr.heads import head_character
from skeletr.model import SkeleTR, SkeleTRConfig
from skeletr.model.config import BackboneConfig
from skeletr.recognizer import Recognizer, RecognizerConfig
from skeletr.recording import Recording
from skeletr.sequences import SequenceConfig
from skeletr.token_attention import token_names
from tests.synthetic import scene

pytestmark = pytest.mark.usefixtures("in_float32")

LABELS = ("stand", "wave", "shake hands")
KEEPS = RecognizerConfig(keep_tokens=True)


@pytest.fixture(scope="module", params=["person", "pair"])
def checkpoint(request) -> Checkpoint:
    torch.manual_seed(0)
    config = SkeleTRConfig(
        backbone=BackboneConfig((12, 24), (1, 2)), instance_classes=3, scene_classes=3
    )
    model = SkeleTR(config).eval()
    return Checkpoint(
        model,
        LABELS,
        SequenceConfig(normalise=request.param),
        Calibration(2.0, 0.0),
        interactions=("shake hands",),
    )


def people(places: list[float], seconds: float = 9.0) -> Recording:
    return scene(places, np.arange(int(seconds * 15)) / 15)


def feed(recognizer: Recognizer, recording: Recording) -> ActionLog:
    for frame in recording.frames():
        recognizer.step(frame.people, frame.time, recording.image_size)
    return recognizer.finish()


def only(recording: Recording, person: int) -> Recording:
    """The recording without `person`, whose frames stay."""
    rows = recording.person != person
    columns = {n: getattr(recording, n)[rows] for n in ("frame", "person", "keypoints", "boxes")}
    return replace(recording, **columns)


def explorer(checkpoint: Checkpoint, recording: Recording) -> Explorer:
    recognizer = Recognizer(checkpoint, KEEPS)
    feed(recognizer, recording)
    return Explorer(checkpoint, recognizer.evidence())


def assert_same(a: ActionLog, b: ActionLog, tolerance: float) -> None:
    assert list(a.people) == list(b.people)
    for one, other in [(a.scene, b.scene), *((a.people[p], b.people[p]) for p in a.people)]:
        assert np.allclose(one.times, other.times)
        assert [p.status for p in one.predictions] == [p.status for p in other.predictions]
        for x, y in zip(one.predictions, other.predictions, strict=True):
            assert np.allclose(x.scores, y.scores, atol=tolerance)


def test_without_nobody_is_what_was_recognised(checkpoint):
    recording = people([80, 240, 400, 560])  # four people fill the window: the clamp matters
    recognizer = Recognizer(checkpoint, KEEPS)
    log = feed(recognizer, recording)
    assert_same(log, Explorer(checkpoint, recognizer.evidence()).without(), 1e-5)


def test_a_room_that_empties_is_empty_for_both(checkpoint):
    recording = people([200, 440], seconds=10)
    stay = np.array([3.0, 5.0])[recording.person] > recording.times
    columns = {n: getattr(recording, n)[stay] for n in ("frame", "person", "keypoints", "boxes")}
    left = replace(recording, **columns)
    recognizer = Recognizer(checkpoint, KEEPS)
    log = feed(recognizer, left)
    asked = Explorer(checkpoint, recognizer.evidence())
    assert_same(log, asked.without(), 1e-5)
    assert log.scene.predictions[-1].status is Status.NOBODY
    alone = feed(Recognizer(checkpoint, KEEPS), only(left, 1))
    assert_same(alone, asked.without([1]), 1e-4)


@pytest.mark.parametrize("places", [[100, 320, 540], [80, 240, 400, 560], [200, 440]])
def test_without_somebody_is_as_if_they_had_never_been_there(checkpoint, places):
    recording = people(places)
    expected = feed(Recognizer(checkpoint), only(recording, 1))
    found = explorer(checkpoint, recording).without(people=(1,))
    assert 1 not in found.people
    assert_same(expected, found, 1e-4)


@pytest.mark.parametrize("gone", [*combinations(range(4), 2), (0, 1, 2), (1, 2, 3)])
def test_without_several_is_as_if_they_had_never_been_there(checkpoint, gone):
    recording = people([80, 240, 400, 560], seconds=6)
    rest = reduce(only, gone, recording)
    found = explorer(checkpoint, recording).without(people=gone)
    assert_same(feed(Recognizer(checkpoint), rest), found, 1e-4)


def test_the_form_for_inference_answers_as_the_plain_network(checkpoint, monkeypatch):
    recording = people([80, 240, 400, 560], seconds=6)
    questions = [((1,), None), ((0, 2), None), ((0, 1, 3), None), ((1, 2), (2.0, 4.0))]
    quick = explorer(checkpoint, recording)
    monkeypatch.setattr(explore, "for_inference", lambda model, dtype: model)
    monkeypatch.setattr(explore, "_BATCH", 1)
    plain = explorer(checkpoint, recording)
    for question in questions:
        assert_same(plain.without(*question), quick.without(*question), 1e-4)


def test_two_who_shook_hands_do_not_when_one_is_left(checkpoint):
    what_if = explorer(checkpoint, people([200, 440]))
    together, alone = what_if.without(), what_if.without(people=(1,))
    assert all(p.scores[2] > 0 for p in together.people[0].predictions)
    assert all(p.scores[2] == 0 for p in alone.people[0].predictions)


def test_without_anybody_nobody_is_there(checkpoint):
    log = explorer(checkpoint, people([200, 440])).without(people=(0, 1))
    assert log.people == {}
    assert {p.status for p in log.scene.predictions} == {Status.NOBODY}
    assert log.overall() == []


def test_without_an_interval(checkpoint):
    what_if = explorer(checkpoint, people([200, 440]))
    before, after = what_if.without(), what_if.without(interval=(2.0, 4.0))
    for person in (0, 1):
        times = after.people[person].times
        assert not ((times >= 2) & (times <= 4)).any()
        assert len(times) < len(before.people[person].times)
    some = what_if.without(people=(0,), interval=(2.0, 4.0))
    assert np.array_equal(some.people[1].times, before.people[1].times)
    # What lies before the interval and is never in a window with it does not change.
    first = before.people[0].predictions[0].scores, after.people[0].predictions[-1].scores
    assert all(np.isfinite(s).all() for s in first)
    with pytest.raises(ValueError, match="in order"):
        what_if.without(interval=(4.0, 2.0))


@pytest.mark.parametrize("left_out", [(6.0, 7.5), (0.0, 1.0), (13.0, 99.0)])
def test_a_while_changes_nothing_beyond_its_reach(checkpoint, left_out):
    what_if = explorer(checkpoint, people([80, 240, 400, 560], seconds=15))
    before, after = what_if.without(), what_if.without(interval=left_out)
    start, end = what_if.reach(left_out)
    far = 0
    for person, track in after.people.items():
        was = dict(zip(before.people[person].times, before.people[person].predictions, strict=True))
        for time, prediction in zip(track.times, track.predictions, strict=True):
            if not start <= time <= end:
                assert np.allclose(prediction.scores, was[time].scores, atol=1e-5)
                far += 1
    assert far or left_out[0] == 6.0


def test_what_is_known_is_read_out_without_the_network(checkpoint, monkeypatch):
    asked = explorer(checkpoint, people([80, 320, 560]))
    answer = asked.without(people=(1,))
    asked._remainders._known.clear()  # more was asked since than has room there
    for part in (asked, asked._remainders):
        monkeypatch.setattr(part, "_model", None)
    assert_same(answer, asked.without(people=(1,)), 1e-7)
    with pytest.raises(AttributeError):
        asked.without(people=(2,))


def test_more_questions_than_are_remembered(checkpoint, monkeypatch):
    asked = explorer(checkpoint, people([80, 320, 560]))
    asked.without()
    room = asked.remembered + 9  # a little more than one question needs
    questions = [(), (0,), (1,), (2,), (0, 1), (0,), ()]
    with monkeypatch.context() as patch:
        patch.setattr(explore, "_REMEMBERED", room)
        answers = []
        for question in questions:
            answers.append(asked.without(question))
            assert asked.remembered <= room
    assert asked.forgotten > 0
    for question, answer in zip(questions, answers, strict=True):
        assert_same(answer, explorer(checkpoint, people([80, 320, 560])).without(question), 1e-5)


def test_a_part_alone_is_as_in_the_whole(checkpoint):
    recording = people([80, 240, 400, 560])
    whole = explorer(checkpoint, recording).without(people=(1,))
    part = explorer(checkpoint, recording).without(people=(1,), during=(3.0, 5.0))
    for person in (0, 2, 3):
        times, found = part.people[person].times, part.people[person].predictions
        all_times = whole.people[person].times
        wanted = (all_times >= 3 - 1e-6) & (all_times <= 5 + 1e-6)
        assert len(times) == wanted.sum() > 0
        for prediction, index in zip(found, np.flatnonzero(wanted), strict=True):
            expected = whole.people[person].predictions[index].scores
            assert np.allclose(prediction.scores, expected, atol=1e-5)
    assert part.scene.times.tolist() == [t for t in whole.scene.times if 3 <= t + 1e-6 <= 5 + 2e-6]


def test_differences_are_between_the_same_steps(checkpoint):
    what_if = explorer(checkpoint, people([100, 320, 540]))
    before, after = what_if.without(), what_if.without(people=(2,))
    changes = compare(before, after)
    assert [c.person for c in changes] == [None, 0, 1]
    for change in changes[1:]:
        old, new = before.people[change.person], after.people[change.person]
        assert np.allclose(change.times, old.times)
        difference = new.predictions[3].scores - old.predictions[3].scores
        assert np.allclose(change.change[3], difference)
        assert np.allclose(change.change.sum(axis=1), 0, atol=1e-4)  # each is kept in 16 bits
        assert len(change.largest(LABELS, 2)) == 2
    assert compare(before, before)[1].change.max() == 0


def test_an_empty_stream_can_be_asked_too(checkpoint):
    recognizer = Recognizer(checkpoint, KEEPS)
    assert recognizer.evidence() is None
    for time in np.arange(40) / 15:
        recognizer.step((), float(time), (640, 480))
    what_if = Explorer(checkpoint, recognizer.evidence())
    assert what_if.without(people=(3,)).people == {}
    assert len(what_if.without(during=(90.0, 99.0)).scene.times) == 0
    assert what_if.attention(1.0) is None


def test_nothing_is_kept_unless_asked_for(checkpoint):
    with pytest.raises(ValueError, match="keep_tokens"):
        Recognizer(checkpoint).evidence()


def test_what_is_kept_is_bounded_and_what_is_left_is_right(checkpoint):
    recognizer = Recognizer(checkpoint, KEEPS)
    recognizer._keeper = EvidenceKeeper(checkpoint.sequences, None, 24)
    log = feed(recognizer, people([200, 440], 16))
    evidence = recognizer.evidence()
    assert len(evidence.statuses) <= 24
    found = Explorer(checkpoint, evidence).without()
    late = {round(float(t), 3): p for t, p in zip(*_steps(log, 0), strict=True)}
    assert 0 < len(found.people[0].times) < len(late)
    for time, prediction in zip(*_steps(found, 0), strict=True):
        assert np.allclose(late[round(float(time), 3)].scores, prediction.scores, atol=1e-5)


def _steps(log: ActionLog, person: int):
    return log.people[person].times, log.people[person].predictions


def test_tokens_of_a_pair_add_up_to_its_cell(checkpoint):
    recognizer = Recognizer(checkpoint, KEEPS)
    feed(recognizer, people([200, 440], 5))
    time, shown = recognizer.log().attention[-1]
    window = Explorer(checkpoint, recognizer.evidence()).attention(time)
    assert window.key == pytest.approx(time)
    assert np.array_equal(window.sequences.person, shown.person)
    assert np.allclose(window.sequences.weights, shown.weights, atol=1e-5)
    pair = window.pair(layer=1, head=3, looks=2, seen=9)
    assert pair.weights.shape == (21, 21)
    assert pair.share == pytest.approx(float(shown.weights[1, 3, 2, 9]), abs=1e-5)
    with pytest.raises(IndexError, match="seen is 99"):
        window.pair(0, 0, 0, 99)


def test_tokens_are_named(checkpoint):
    names = token_names(checkpoint.model.config, checkpoint.sequences, 3.0)
    assert len(names) == 21
    assert names[0] == "global"
    assert names[1] == "t=2.25 s" and names[8] == "t=2.95 s"
    assert names[-5:] == ("head", "left arm", "right arm", "left leg", "right leg")


def attention_of(weights: np.ndarray) -> Attention:
    """One layer, one head: persons 1 and 2 at four moments."""
    times = np.tile(np.arange(4) * 0.75, 2)
    return Attention(weights[None, None], times, np.repeat([1, 2], 4))


def habit(mask: np.ndarray, strength: float = 0.8) -> Attention:
    """Rows that give `strength` to a mask and spread the rest."""
    return attention_of(strength * mask / mask.sum(1, keepdims=True) + (1 - strength) / len(mask))


def test_heads_are_told_apart_by_what_they_do():
    person, moment = np.repeat([1, 2], 4), np.tile(np.arange(4), 2)
    same = person[:, None] == person[None]
    now = moment[:, None] == moment[None]
    cases = {
        "follows one person": same & ~np.eye(8, dtype=bool),
        "links people": ~same & now,
        "looks at itself": np.eye(8, dtype=bool),
        "mixed": ~same & ~now,
        "spreads evenly": np.ones((8, 8), dtype=bool),
        # One moment of each, so that neither person is favoured, nor the present.
        "singles out moments": np.broadcast_to(moment == 2, (8, 8)),
    }
    for label, mask in cases.items():
        (found,) = head_character(habit(mask.astype(float)))
        assert found.label == label
    (even,) = head_character(habit(np.ones((8, 8))))
    assert even.entropy == pytest.approx(1)
    assert even.within == pytest.approx(3 / 8) == even.uniform_within
    assert even.linked == pytest.approx(1 / 8) == even.uniform_linked
    assert even.within_ratio == pytest.approx(1) == pytest.approx(even.linked_ratio)


def test_the_character_of_somebody_alone():
    one = Attention(np.ones((2, 3, 1, 1), np.float32), np.zeros(1), np.array([4]))
    found = head_character(one)
    assert [(f.layer, f.head) for f in found] == [(a, b) for a in range(2) for b in range(3)]
    assert {f.label for f in found} == {"spreads evenly"}
