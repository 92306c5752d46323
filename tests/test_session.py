"""Sessions, subtitles and PYSKL pickles: written, read again, and refused where they are wrong."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from skeletr.actions import ActionLog, Attention, Status, Track, decide, nothing
from skeletr.archive import ArchiveError, read_arrays, write_arrays
from skeletr.datasets.pyskl import read_pyskl
from skeletr.pyskl_export import annotation, write_pyskl
from skeletr.recording import Action, RecordingError
from skeletr.session import Session, SessionError
from skeletr.subtitles import actions_vtt, write_vtt
from tests.synthetic import scene

LABELS = ("stand", "wave & <b>shout</b>", "walk")
INTERVAL = 0.75


def says(label: int, score: float = 0.8):
    scores = np.full(3, (1 - score) / 2, np.float32)
    scores[label] = score
    return decide(scores, LABELS, 0.5)


def track(*predictions, start: float = 0.0) -> Track:
    times = start + INTERVAL * np.arange(len(predictions))
    return Track(times, predictions, start, start + INTERVAL * len(predictions))


def attention(people: int, rng: np.random.Generator) -> Attention:
    weights = rng.random((2, 4, people, people)).astype(np.float32)
    return Attention(
        weights / weights.sum(-1, keepdims=True), rng.random(people), np.arange(1, people + 1)
    )


@pytest.fixture
def session() -> Session:
    rng = np.random.default_rng(0)
    recording = scene([100, 400], np.arange(60) / 20)
    recording = replace(recording, actions=(Action("wave", 1, 0.0, 2.0),), source="clip.mp4")
    log = ActionLog(
        LABELS,
        INTERVAL,
        {
            0: track(says(0), says(1), says(1), says(1, 0.4), nothing(Status.UNKNOWN, LABELS)),
            7: track(nothing(Status.TOO_FEW_JOINTS, LABELS), says(2), start=1.0),
            9: Track(np.zeros(0), (), 1.0, 1.1),
        },
        track(says(0), says(1), nothing(Status.NOBODY, LABELS)),
        tuple((0.75 * i, attention(n, rng)) for i, n in enumerate((1, 3, 2))),
        rests=("stand",),
    )
    return Session(recording, log, program="1.2.3", name="A clip")


def assert_equal(a: ActionLog, b: ActionLog) -> None:
    assert (a.labels, a.interval, a.rests, list(a.people)) == (
        b.labels,
        b.interval,
        b.rests,
        list(b.people),
    )
    for one, other in [(a.scene, b.scene), *zip(a.people.values(), b.people.values(), strict=True)]:
        assert (one.start, one.end) == (other.start, other.end)
        assert np.array_equal(one.times, other.times)
        assert len(one.predictions) == len(other.predictions)
        for x, y in zip(one.predictions, other.predictions, strict=True):
            assert (x.status, x.label, x.score) == (y.status, y.label, y.score)
            assert np.array_equal(x.scores, y.scores)


def test_a_session_comes_back_equal(session, tmp_path):
    session.save(tmp_path / "a.npz")
    found = Session.load(tmp_path / "a.npz")
    assert (found.program, found.name) == ("1.2.3", "A clip")
    assert_equal(session.log, found.log)
    for column in ("frame_times", "frame", "person", "keypoints", "boxes"):
        assert np.array_equal(getattr(session.recording, column), getattr(found.recording, column))
    assert found.recording.actions == session.recording.actions
    assert found.recording.source == "clip.mp4"
    for (t, x), (u, y) in zip(session.log.attention, found.log.attention, strict=True):
        assert t == u and np.array_equal(x.times, y.times) and np.array_equal(x.person, y.person)
        assert np.allclose(x.weights, y.weights, atol=1e-3)


def test_attention_can_be_left_out(session, tmp_path):
    session.save(tmp_path / "a.npz", attention=False)
    assert Session.load(tmp_path / "a.npz").log.attention == ()


def test_an_empty_session(session, tmp_path):
    empty = ActionLog(LABELS, INTERVAL, {}, Track(np.zeros(0), (), 0.0, 0.0))
    Session(scene([], np.arange(4) / 20), empty).save(tmp_path / "a.npz")
    assert_equal(empty, Session.load(tmp_path / "a.npz").log)


def change(path: Path, **changed) -> None:
    """Rewrite a session: arrays by name, `header` a function of the header."""
    header, arrays = read_arrays(path, 1 << 30, 99)
    if "header" in changed:
        changed.pop("header")(header)
    for name, value in changed.items():
        arrays[name] = value(arrays[name])
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        np.savez_compressed(file, header=np.frombuffer(text, np.uint8), **arrays)


def _nan(array: np.ndarray) -> np.ndarray:
    return np.where(np.arange(array.size).reshape(array.shape) == 1, np.nan, array)


@pytest.mark.parametrize(
    ("changed", "says_why"),
    [
        ({"header": lambda h: h.update(version=99)}, "version 99"),
        ({"header": lambda h: h.update(format="other")}, "other"),
        ({"header": lambda h: h.pop("log")}, "log"),
        ({"header": lambda h: h.update(image_size=[10**9, 1])}, "image_size"),
        ({"header": lambda h: h["log"].update(labels=["a", "a", "b"])}, "twice"),
        ({"header": lambda h: h["log"].update(labels=["x" * 5000])}, "characters"),
        ({"header": lambda h: h["log"].update(interval=0)}, "interval"),
        ({"header": lambda h: h["log"].update(statuses=["fine"])}, "fine"),
        ({"header": lambda h: h["log"]["tracks"][1].update(steps=10**9)}, "does not fit"),
        ({"header": lambda h: h["log"]["tracks"][0].update(person=3)}, "scene"),
        ({"header": lambda h: h["log"].update(tracks=[None])}, "no session"),
        ({"step_scores": _nan}, "between 0 and 1"),
        ({"step_scores": lambda a: a[:-1]}, "per step"),
        ({"step_label": lambda a: a + 77}, "not in the list"),
        ({"step_times": _nan}, "finite"),
        ({"keypoints": _nan}, "finite"),
        ({"frame_times": lambda a: a[::-1]}, "increasing"),
        ({"window_sizes": lambda a: a * 1000}, "attention do not fit"),
        ({"window_weights": _nan}, "finite"),
    ],
)
def test_what_is_wrong_is_refused_in_words(session, tmp_path, changed, says_why):
    path = tmp_path / "mine.npz"
    session.save(path)
    change(path, **dict(changed))
    with pytest.raises(SessionError, match=says_why) as error:
        Session.load(path)
    assert "mine.npz" in str(error.value)
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 broken"])
def test_no_session_at_all(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(SessionError, match=r"a\.npz is no session"):
        Session.load(tmp_path / "a.npz")


def _member(name: str, data: bytes, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "bomb.npz"
    _member("header.npy", bytes(50 << 20), path)
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *a, **k: pytest.fail("it was unpacked"))
    with pytest.raises(SessionError, match="unpacks to"):
        Session.load(path, most_bytes=10 << 20)


def test_an_array_that_says_it_is_huge_is_refused(tmp_path):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)}
    )
    _member("header.npy", file.getvalue(), tmp_path / "a.npz")
    with pytest.raises(ArchiveError, match="claims"):
        read_arrays(tmp_path / "a.npz", 1 << 20, 4)


def test_pickles_inside_are_refused(tmp_path):
    with (tmp_path / "a.npz").open("wb") as file:
        np.savez(file, header=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ArchiveError, match="expected number"):
        read_arrays(tmp_path / "a.npz", 1 << 20, 4)
    write_arrays(tmp_path / "b.npz", {}, {str(i): np.zeros(1) for i in range(9)})
    with pytest.raises(ArchiveError, match="10 arrays"):
        read_arrays(tmp_path / "b.npz", 1 << 20, 9)


def test_subtitles(session, tmp_path):
    write_vtt(session.log, tmp_path / "a.vtt")
    text = (tmp_path / "a.vtt").read_text(encoding="utf-8")
    assert text == actions_vtt(session.log)
    assert text.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:00.375 line:5%\nScene: stand\n\n")
    # Steps of one label are one cue; what is not sure has none; markup is only text.
    assert "00:00:00.375 --> 00:00:01.875\nPerson 0: wave &amp; &lt;b&gt;shout&lt;/b&gt;\n" in text
    assert text.count("Person 0: wave") == 1
    assert text.count("-->") == 5 and "Person 9" not in text


def test_subtitles_of_hours():
    late = Track(np.array([3723.4]), (says(2),), 3723.0, 3724.0)
    assert "01:02:03.025 --> 01:02:03.775\nPerson 3: walk" in actions_vtt(
        ActionLog(LABELS, INTERVAL, {3: late}, Track(np.zeros(0), (), 0, 0))
    )


def test_pyskl_round_trip(tmp_path):
    recording = scene([100, 400], np.arange(40) / 20)
    late = replace(recording, person=np.where(recording.person == 0, 5, 8).astype(np.int32))
    found = annotation(late, "clip 1", 2)
    assert found["keypoint"].dtype == found["keypoint_score"].dtype == np.float16
    assert found["keypoint"].shape == (2, 40, 17, 2) and found["img_shape"] == (480, 640)
    write_pyskl([found], tmp_path / "a.pkl")
    (sample,) = read_pyskl(tmp_path / "a.pkl", {"test": "all"}, fps=found["fps"])
    again = sample.recording
    assert (sample.name, again.image_size) == ("clip 1", (640, 480))
    assert again.actions[0].label == "class 2"
    assert np.allclose(again.frame_times, recording.frame_times)
    # Half precision: a pixel is off by 1/8 at most up to 256, by 1/4 up to 512.
    assert np.abs(again.keypoints - recording.keypoints).max() <= 0.25
    assert np.array_equal(again.person, recording.person)


def test_pyskl_frames_are_even_whatever_the_camera_did(tmp_path):
    rng = np.random.default_rng(1)
    times = np.arange(50) / 25 + rng.uniform(-0.005, 0.005, 50)
    times = np.delete(times, [10, 11, 30])
    recording = scene([300], times - times[0])
    found = annotation(recording, "a", 0, fps=25)
    assert found["total_frames"] == 50
    seen = found["keypoint_score"][0].any(axis=-1)
    assert np.flatnonzero(~seen).tolist() == [10, 11, 30]
    with pytest.raises(RecordingError, match="expected somebody"):
        annotation(scene([], np.arange(5) / 20), "a", 0)
