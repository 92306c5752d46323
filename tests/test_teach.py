"""Teaching: examples in, labels beside the built-in ones out, saved and shared as a file."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from skeletr.archive import read_arrays
from skeletr.checkpoint import DEFAULT_CHECKPOINT, Checkpoint
from skeletr.explore import Explorer
from skeletr.recognizer import Recognizer, RecognizerConfig
from skeletr.recording import Recording
from skeletr.synthetic import examples
from skeletr.synthetic.body import IMAGE_SIZE, joints, picture
from skeletr.synthetic.motion import hanging, standing
from skeletr.taught_background import Background, background
from skeletr.taught_head import TeachSettings
from skeletr.teach import LONGEST_NAME, TaughtActions, TeachError
from tests.synthetic import scene


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    """The one that is shipped: what can be taught depends on what a network has learned."""
    return Checkpoint.from_pretrained(DEFAULT_CHECKPOINT)


@pytest.fixture(scope="module")
def elsewhere(checkpoint: Checkpoint) -> Background:
    return background(checkpoint)


def clip(kind: str, variant: int) -> Recording:
    """Two seconds of an action, by somebody who stands a little differently every time."""
    times = np.arange(50) / 25
    stance = standing(times, (0.1 * variant, 0.0), 25.0 - 12.0 * variant, variant)
    hands = hanging(times, variant)
    beat = np.sin(2 * np.pi * (times + 0.1 * variant))[:, None] ** 2
    if kind == "windmill":  # straight arms up and down at the sides, on bent knees
        stance = replace(stance, drop=0.25 + 0.1 * beat[:, 0])
        hands = (1 - beat[..., None]) * (0.0, 0.5, -0.2) + beat[..., None] * (0.0, 0.3, 0.45)
        hands = np.repeat(hands, 2, axis=1)
    if kind == "rowing":  # both hands far ahead and back, leaning forward
        stance = replace(stance, lean=0.5 + 0.3 * beat[:, 0])
        hands = np.repeat((0.05, -0.05, -0.2) + beat[..., None] * (0.45, 0.0, 0.15), 2, axis=1)
    pixels = picture(joints(stance, stance.around(hands)))
    return Recording.from_arrays(pixels[None], times, IMAGE_SIZE)


def taught(count: int = 3, **settings: float) -> TaughtActions:
    found = TaughtActions(settings=TeachSettings(**settings))
    for variant in range(count):
        for kind in ("windmill", "rowing"):
            found = found.add(kind, clip(kind, variant))
    return found


def recognise(recognizer: Recognizer, recording: Recording):
    recognizer.reset()
    for frame in recording.frames():
        recognizer.step(frame.people, frame.time, recording.image_size)
    return recognizer.finish()


def test_taught_labels_stand_beside_the_built_in_ones(checkpoint, elsewhere):
    head = taught().fit(checkpoint, elsewhere)
    recognizer = Recognizer(checkpoint, RecognizerConfig(keep_tokens=True), taught=head)
    known = len(checkpoint.labels)
    assert recognizer.labels == (*checkpoint.labels, "windmill", "rowing")
    for kind in ("windmill", "rowing"):
        log = recognise(recognizer, clip(kind, 4))
        assert log.overall()[0][0] == kind
        for track in (*log.people.values(), log.scene):
            for prediction in track.predictions:
                assert prediction.scores.shape == (known + 2,)
                assert prediction.scores.sum() == pytest.approx(1, abs=1e-4)


class Fixed:
    """Gives a quarter to "x" whatever it sees."""

    names = ("x",)

    def shares(self, features: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        assert len(features) == len(tokens)
        return np.full((len(features), 1), 0.25)


class Known(Fixed):
    """Calls its label as the shipped checkpoint calls one of its own."""

    names = ("wave",)


def test_what_a_taught_label_leaves_is_divided_as_without_it(checkpoint):
    recording = clip("rowing", 0)
    with_x, without = (
        recognise(Recognizer(checkpoint, taught=t), recording) for t in (Fixed(), None)
    )
    for a, b in ((with_x.people[0], without.people[0]), (with_x.scene, without.scene)):
        for x, y in zip(a.predictions, b.predictions, strict=True):
            assert x.scores[-1] == pytest.approx(0.25)
            assert np.allclose(x.scores[:-1], 0.75 * y.scores, atol=1e-5)
    with pytest.raises(ValueError, match="labels of the checkpoint already"):
        Recognizer(checkpoint, taught=Known())


def test_what_was_not_taught_is_not_swallowed(checkpoint, elsewhere):
    recognizer = Recognizer(checkpoint, taught=taught().fit(checkpoint, elsewhere))
    for recording in examples().values():
        log = recognise(recognizer, recording)
        answers = [p.label for track in log.people.values() for p in track.predictions]
        assert np.isin(answers, ("windmill", "rowing")).mean() < 0.1


def test_leave_one_out_says_how_well_it_is_separated(checkpoint, elsewhere):
    found = taught().fit(checkpoint, elsewhere).leave_one_out()
    assert set(found.accuracy) == {"windmill", "rowing"}
    assert min(found.accuracy.values()) >= 2 / 3
    assert all(sum(answers.values()) == 3 for answers in found.answers.values())
    same = TaughtActions()
    for variant in range(3):  # the same motion under two names cannot be told apart
        same = same.add("one", clip("rowing", variant)).add("two", clip("rowing", variant))
    confused = same.fit(checkpoint, elsewhere).leave_one_out()
    assert min(confused.accuracy.values()) < 1
    single = TaughtActions().add("one", clip("rowing", 0)).fit(checkpoint, elsewhere)
    assert single.leave_one_out().accuracy == {}


def test_what_if_knows_the_taught_labels(checkpoint, elsewhere):
    head = taught().fit(checkpoint, elsewhere)
    recognizer = Recognizer(checkpoint, RecognizerConfig(keep_tokens=True), taught=head)
    log = recognise(recognizer, clip("rowing", 1))
    again = Explorer(checkpoint, recognizer.evidence(), head).without()
    assert again.labels == log.labels
    for a, b in zip(log.people[0].predictions, again.people[0].predictions, strict=True):
        assert np.allclose(a.scores, b.scores, atol=1e-4)


def test_only_the_chosen_person_is_learned_from(checkpoint, elsewhere):
    both = scene([150, 450], np.arange(40) / 20)
    one, everybody = (
        TaughtActions().add("x", both, person).fit(checkpoint, elsewhere)._shown[0].features
        for person in (1, None)
    )
    assert len(everybody) == 2 * len(one)
    with pytest.raises(TeachError, match=r"no person 9.*\[0, 1\]"):
        TaughtActions().add("x", both, 9)


def test_adding_and_removing_makes_new_ones():
    first = taught(2)
    assert first.names == ("windmill", "rowing") and first.count("rowing") == 2
    assert first.remove("windmill").names == ("rowing",)
    assert first.remove("rowing", 0).count("rowing") == 1
    assert first.count("rowing") == 2
    with pytest.raises(TeachError, match="'jump'"):
        first.remove("jump")
    with pytest.raises(TeachError, match="number 5"):
        first.remove("rowing", 5)


@pytest.mark.parametrize("name", ["", "   ", "x" * (LONGEST_NAME + 1), "a\x00b"])
def test_names_are_short_text(name):
    with pytest.raises(TeachError, match="a name must be"):
        TaughtActions().add(name, clip("rowing", 0))


def test_what_cannot_be_learned_is_said(checkpoint, elsewhere):
    with pytest.raises(TeachError, match="nothing was taught"):
        TaughtActions().fit(checkpoint, elsewhere)
    with pytest.raises(TeachError, match="labels of the model already"):
        TaughtActions().add("wave", clip("rowing", 0)).fit(checkpoint, elsewhere)
    with pytest.raises(TeachError, match="nobody is seen in"):
        TaughtActions().add("x", scene([], np.arange(9) / 20))
    glimpse = clip("rowing", 0).between(0.0, 0.1)
    with pytest.raises(TeachError, match="long enough"):
        TaughtActions().add("x", glimpse).fit(checkpoint, elsewhere)
    slow = replace(clip("rowing", 0), frame_times=np.arange(50) * 2.0)
    with pytest.raises(TeachError, match="an example of 98 s"):
        TaughtActions().add("x", slow)


def test_saved_and_shared_as_a_file(checkpoint, elsewhere, tmp_path):
    given = taught(where=0.6)
    given.save(tmp_path / "mine.npz")
    found = TaughtActions.load(tmp_path / "mine.npz")
    assert (found.names, found.settings) == (given.names, given.settings)
    test = clip("rowing", 2)
    logs = [
        recognise(Recognizer(checkpoint, taught=t.fit(checkpoint, elsewhere)), test)
        for t in (given, found)
    ]
    a, b = (log.people[0].predictions[0].scores for log in logs)
    assert np.array_equal(a, b)
    header, _ = read_arrays(tmp_path / "mine.npz", 1 << 30, 99)
    assert header["examples"][0]["name"] == "windmill"


@pytest.mark.parametrize(
    ("change", "says_why"),
    [
        (lambda h: h.update(version=2), "version 2"),
        (lambda h: h.update(format="skeletr session"), "session"),
        (lambda h: h["settings"].update(where=9), "out of range"),
        (lambda h: h["settings"].update(other=1), "other"),
        (lambda h: h["examples"][0].update(name="x" * 999), "a name must be"),
        (lambda h: h["examples"][0].update(person=44), "no person 44"),
        (lambda h: h["examples"].append(h["examples"][0]), "frame_times_2"),
    ],
)
def test_a_wrong_file_is_refused_in_words(tmp_path, change, says_why):
    path = tmp_path / "mine.npz"
    taught(1).save(path)
    header, arrays = read_arrays(path, 1 << 30, 99)
    change(header)
    with path.open("wb") as file:
        np.savez(file, header=np.frombuffer(json.dumps(header).encode(), np.uint8), **arrays)
    with pytest.raises(TeachError, match=says_why) as error:
        TaughtActions.load(path)
    assert "mine.npz" in str(error.value)
