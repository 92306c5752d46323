"""A file through the whole road, with a pose frontend that sees what the test decides."""

from __future__ import annotations

import csv
import io
import json
import threading

import numpy as np
import pytest
import torch

from skeletr.actions import Status
from skeletr.checkpoint import Checkpoint
from skeletr.export import CSV_COLUMNS, actions_csv, result_dict, write_json
from skeletr.model import SkeleTR, SkeleTRConfig
from skeletr.model.config import BackboneConfig
from skeletr.pipeline import Cancelled, annotate_video, recognize_video
from skeletr.recognizer import Recognizer
from skeletr.recording import Person, Recording
from skeletr.sequences import SequenceConfig
from skeletr.video import VideoError, VideoReader
from tests.conftest import pattern
from tests.synthetic import scene

LABELS = ("stand", "wave", "walk")
FPS = 10


class SyntheticPose:
    """Sees the people of a prepared recording, whatever the picture shows."""

    def __init__(self, recording: Recording) -> None:
        self._frames = list(recording.frames())

    def estimate(self, image: np.ndarray, time: float) -> tuple[Person, ...]:
        nearest = min(self._frames, key=lambda f: abs(f.time - time))
        return tuple(Person(p.keypoints, p.box) for p in nearest.people)

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    torch.manual_seed(0)
    config = SkeleTRConfig(BackboneConfig((12,), (2,)), instance_classes=3, scene_classes=3)
    return Recognizer(Checkpoint(SkeleTR(config).eval(), LABELS, SequenceConfig()))


@pytest.fixture(scope="module")
def video(make_video):
    return make_video("two people.mp4", (pattern(i, (640, 480)) for i in range(40)), fps=FPS)


@pytest.fixture(scope="module")
def frontend() -> SyntheticPose:
    return SyntheticPose(scene([150, 450], np.arange(40) / FPS))


@pytest.fixture(scope="module")
def result(video, frontend, recognizer):
    return recognize_video(video, frontend, recognizer)


def test_every_frame_is_recorded_and_both_people_are_labelled(result):
    assert len(result.recording.frame_times) == 40
    assert len(result.log.people) == 2
    for track in result.log.people.values():
        assert len(track.times) >= 4
        assert any(p.scores.any() for p in track.predictions)
    assert {"decode", "pose", "track", "recognise", "total"} <= set(result.timing)
    assert result.warnings == ()


def test_people_are_there_from_their_first_frame_on(result):
    assert [len(f.people) for f in result.recording.frames()] == [2] * 40
    people, scene = result.log.at(0.0)
    assert set(people) == {1, 2}
    assert scene.status is not Status.NOBODY


def test_the_same_parts_can_be_used_again(video, frontend, recognizer, result):
    again = recognize_video(video, frontend, recognizer)
    assert result_dict(again)["people"] == result_dict(result)["people"]


def test_progress_rises_to_the_end(video, frontend, recognizer):
    seen = []
    recognize_video(video, frontend, recognizer, progress=lambda done, what: seen.append(done))
    assert seen == sorted(seen)
    assert 0.9 < seen[-1] <= 1


def test_cancel_stops_and_leaves_nothing(video, frontend, recognizer, result, tmp_path):
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        recognize_video(video, frontend, recognizer, cancel=cancel)
    with pytest.raises(Cancelled):
        annotate_video(video, result, tmp_path / "out.mp4", cancel=cancel)
    assert list(tmp_path.iterdir()) == []


def test_the_annotated_video_has_the_frames_and_times_of_the_original(video, result, tmp_path):
    annotate_video(video, result, tmp_path / "out.mp4")
    original, drawn = list(VideoReader(video)), list(VideoReader(tmp_path / "out.mp4"))
    assert [f.time for f in drawn] == pytest.approx([f.time for f in original], abs=1e-3)
    difference = np.abs(drawn[20].image.astype(int) - original[20].image).max(axis=-1)
    person = result.recording.boxes[result.recording.rows(20)][0].astype(int)
    x1, y1, x2, y2 = person
    assert (difference[y1:y2, x1:x2] > 60).any()


def test_result_json_says_what_the_document_says(result, tmp_path):
    write_json(result, tmp_path / "result.json")
    facts = json.loads((tmp_path / "result.json").read_text())
    assert facts["schema_version"] == 1
    assert facts["labels"] == list(LABELS)
    assert facts["video"]["frames_used"] == 40
    assert facts["video"]["frame_size"] == [640, 480]
    assert len(facts["people"]) == 2
    for person in facts["people"]:
        assert person["start"] < person["end"]
        for step in person["steps"]:
            assert (step["label"] is None) == (step["status"] != "ok")
            scores = [t["score"] for t in step["top"]]
            assert scores == sorted(scores, reverse=True)
    assert sum(v["score"] for v in facts["video_labels"]) == pytest.approx(1, abs=1e-3)


def test_csv_has_a_row_per_person_and_step_with_the_box_of_that_person(result):
    rows = list(csv.DictReader(io.StringIO(actions_csv(result))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert len(rows) == sum(len(t.times) for t in result.log.people.values())
    centres = {}
    for row in rows:
        centre = (float(row["x1"]) + float(row["x2"])) / 2
        centres.setdefault(row["person"], []).append(centre)
    for values in centres.values():
        assert max(values) - min(values) < 5


def test_a_video_without_people_is_a_result_without_people(moving_video, recognizer):
    nobody = SyntheticPose(scene([], np.arange(20) / FPS))
    found = recognize_video(moving_video, nobody, recognizer)
    facts = result_dict(found)
    assert facts["people"] == [] and facts["video_labels"] == []
    assert {s["status"] for s in facts["scene_steps"]} == {"nobody"}


def test_one_frame_is_enough_to_answer(make_video, frontend, recognizer):
    path = make_video("one.mp4", iter([pattern(0)]))
    found = recognize_video(path, frontend, recognizer)
    assert len(found.recording.frame_times) == 1
    assert result_dict(found)["video"]["frames_used"] == 1


def test_what_is_no_video_is_named(tmp_path, frontend, recognizer):
    path = tmp_path / "letter.mp4"
    path.write_text("Dear all")
    with pytest.raises(VideoError, match=r"letter\.mp4"):
        recognize_video(path, frontend, recognizer)
