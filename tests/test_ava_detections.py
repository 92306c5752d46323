"""AVA's road from skeletons to a csv of predictions, and csv files of several models as one."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from skeletr.batch import collate
from skeletr.checkpoint import Checkpoint
from skeletr.cli import main
from skeletr.coordinates import model_input
from skeletr.datasets.ava_files import AvaBoxes, AvaError, read_predictions
from skeletr.datasets.ava_skeletons import SkeletonFiles
from skeletr.evaluation.ava_fusion import fuse_boxes
from skeletr.evaluation.detections import DetectConfig, action_ids, detect, predictor
from skeletr.evaluation.fusion import ScoreError
from skeletr.evaluation.protocol import consecutive
from skeletr.model import SkeleTR, small
from skeletr.sequences import SequenceConfig

from .public_files import write_ava

LABELS = ("sit", "stand", "talk to (e.g., self)")
CONFIG = SequenceConfig(frames=16, window=5.0)
KIND = {"name": "ava", "source": "store", "kind": "multilabel"}


def network(seed: int = 0, labels: tuple[str, ...] = LABELS, **changes: object) -> Checkpoint:
    torch.manual_seed(seed)
    model = SkeleTR(replace(small(instance_classes=len(labels)), **changes)).eval()
    with torch.no_grad():  # an untrained head says nearly the same of everybody
        model.instance_head.weight.mul_(20)
    return Checkpoint(model, labels, CONFIG, task=KIND)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return write_ava(tmp_path_factory.mktemp("ava"))


def test_people_are_what_all_windows_that_hold_them_say(files: Path) -> None:
    checkpoint = network()
    source = SkeletonFiles(files / "skeletons")
    found = dict(detect(source, [("film1", 902.0)], predictor([(checkpoint, 1.0)])))["film1"]
    recording = source("film1", 902.0)
    rows: dict[int, list[np.ndarray]] = {}
    for centre in range(900, 905):  # 5 s: these hold second 902
        inside: dict[int, list[np.ndarray]] = {}
        for part in consecutive(recording.between(centre - 2.5, centre + 2.5), CONFIG):
            given = model_input(part, float(part.times.max()), CONFIG)
            with torch.inference_mode():
                logits = checkpoint.model(collate([given], CONFIG.frames)).instance[0]
            for person, row in zip(part.person.tolist(), logits.sigmoid().numpy(), strict=True):
                inside.setdefault(person, []).append(row)
        for person, said in inside.items():
            rows.setdefault(person, []).append(np.mean(said, axis=0))
    assert [one.person for one in found] == sorted(rows)
    for one in found:
        assert one.windows == len(rows[one.person]) == 5
        np.testing.assert_allclose(one.scores, np.mean(rows[one.person], axis=0), rtol=1e-5)
    assert np.abs(found[0].scores - found[1].scores).max() > 1e-4


def test_two_streams_are_averaged_by_their_weights_and_labels(files: Path) -> None:
    joint, bone = network(), network(1, LABELS[::-1], stream="bone")
    source, frames = SkeletonFiles(files / "skeletons"), [("film1", 902.0)]

    def scores(*parts: tuple[Checkpoint, float]) -> np.ndarray:
        return np.array([o.scores for o in dict(detect(source, frames, predictor(parts)))["film1"]])

    expected = (scores((joint, 1)) + 3 * scores((bone, 1))[:, ::-1]) / 4
    np.testing.assert_allclose(scores((joint, 0.5), (bone, 1.5)), expected, rtol=1e-6)


def test_files_of_single_seconds_answer_for_their_own(files: Path, tmp_path: Path) -> None:
    with np.load(files / "skeletons" / "film1.npz") as data:
        whole = dict(data)
    parts = {}
    for second in (902, 904):
        near = np.abs(whole["frame_inds"] / 10 + 895 - second) < 2.5
        first = int(whole["frame_inds"][near][0])
        parts[f"film1,0{second}"] = {
            **{k: whole[k] for k in ("img_shape", "fps")},
            "keypoint": whole["keypoint"][near],
            "frame_inds": whole["frame_inds"][near] - first,
            "start": np.array(895 + first / 10),
        }
    (tmp_path / "all.pkl").write_bytes(pickle.dumps(parts))
    frames = [("film1", 904.0), ("film1", 902.0), ("film1", 903.0), ("film2", 902.0)]
    found = dict(detect(SkeletonFiles(tmp_path / "all.pkl"), frames, predictor([(network(), 1)])))
    assert [one.second for one in found["film1"]] == [902, 902, 904, 904]
    assert found["film2"] == []


def test_what_cannot_be_asked(files: Path) -> None:
    source, ask = SkeletonFiles(files / "skeletons"), predictor([(network(), 1)])
    with pytest.raises(AvaError, match="whole seconds"):
        list(detect(source, [("film1", 902.5)], ask))
    with pytest.raises(ValueError, match="expected both above 0"):
        DetectConfig(step=0)
    with pytest.raises(ValueError, match="other labels"):
        predictor([(network(), 1), (network(labels=("sit", "stand", "fly")), 1)])
    with pytest.raises(ValueError, match="weight is -1"):
        predictor([(network(), -1)])
    videos = SkeleTR(small(scene_classes=3)).eval()
    with pytest.raises(ValueError, match="labels whole videos"):
        predictor([(Checkpoint(videos, LABELS, SequenceConfig()), 1)])
    assert action_ids(["talk to", "action 12"], {79: "talk to"}) == [79, 12]
    with pytest.raises(AvaError, match="'fly' first"):
        action_ids(["action 12", "fly"], {79: "talk to"})


def test_the_command_writes_what_ava_measures(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network().save_pretrained(tmp_path / "joint")
    network(1, stream="bone").save_pretrained(tmp_path / "bone")
    out, truth = tmp_path / "new" / "pred.csv", files / "ava_train_v2.2.csv"
    command = ["ava-detect", f"{tmp_path / 'joint'}:2", str(tmp_path / "bone")]
    command += ["--skeletons", str(files / "skeletons"), "--frames", str(truth)]
    command += ["--excluded", str(files / "excluded.csv"), "--out", str(out)]
    assert main([*command, "--labels", str(files / "actions.pbtxt")]) == 0
    assert "6 people in 3 of 4 frames" in capsys.readouterr().out  # film2 has no skeletons
    found = read_predictions(out)
    assert found.frames == (("film1", 902), ("film1", 904), ("film1", 905))
    assert sorted(set(found.actions.tolist())) == [11, 12, 79]
    assert len(found) == 3 * 2 * 3
    assert main(["ava", "--ground-truth", str(truth), "--predictions", str(out)]) == 0
    assert "person interaction" in capsys.readouterr().out
    out.unlink()
    assert main(command) == 1  # no list of actions: what is "sit"?
    assert "--labels" in capsys.readouterr().err and not out.exists()


A, B, FAR = (0.1, 0.1, 0.3, 0.6), (0.11, 0.1, 0.31, 0.6), (0.6, 0.1, 0.9, 0.9)


def boxes(*rows: tuple) -> AvaBoxes:
    return AvaBoxes.from_rows(((video, 1.0, box, action, s) for video, box, action, s in rows))


def told(found: AvaBoxes) -> dict[tuple, float]:
    keys = zip(found.frame.tolist(), map(tuple, found.boxes.tolist()), found.actions, strict=True)
    return {
        (found.frames[frame][0], box, int(action)): score
        for (frame, box, action), score in zip(keys, found.scores.tolist(), strict=True)
    }


def test_predictions_of_the_same_person_are_averaged() -> None:
    first = boxes(("v", A, 1, 0.9), ("v", A, 2, 0.3), ("w", FAR, 1, 0.2))
    second = boxes(("v", FAR, 1, 0.4), ("v", B, 1, 0.6))
    found = told(fuse_boxes([(first, 2.0), (second, 1.0)]))
    expected = {
        ("v", A, 1): 0.8,  # (2 * 0.9 + 0.6) / 3
        ("v", A, 2): 0.2,  # the second does not name it for somebody whom it has
        ("v", FAR, 1): 0.4,  # who is in one file keeps what that says
        ("w", FAR, 1): 0.2,
    }
    assert found == pytest.approx(expected)
    assert told(fuse_boxes([(first, 2.0)])) == pytest.approx(told(first))
    same = told(fuse_boxes([(first, 2.0), (first, 1.0)]))
    assert same == pytest.approx(told(first))


def test_fusing_says_what_is_wrong() -> None:
    with pytest.raises(ScoreError, match="no predictions"):
        fuse_boxes([])
    with pytest.raises(ScoreError, match="weight is 0"):
        fuse_boxes([(boxes(("v", A, 1, 0.9)), 0.0)])


def test_ava_measures_several_files_as_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_text("v,1,0,0,1,1,1\nv,2,0,0,1,1,1\n")
    (tmp_path / "a.csv").write_text("v,1,0,0,1,1,1,0.1\nv,2,0,0,.2,.2,1,0.9\n")
    (tmp_path / "b.csv").write_text("v,1,0,0,1,1,1,0.9\nv,2,0,0,.2,.2,1,0.1\n")
    command = ["ava", "--ground-truth", str(tmp_path / "t.csv"), "--predictions"]
    measured = []
    for files in (["a.csv"], ["b.csv"], ["a.csv", "b.csv:3"], ["a.csv:3", "b.csv"]):
        assert main([*command, *(str(tmp_path / f) for f in files)]) == 0
        measured.append(float(capsys.readouterr().out.splitlines()[1].split()[1]))
    assert measured == [25.0, 50.0, 50.0, 25.0]
