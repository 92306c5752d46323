from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from skeletr.evaluation import fusion_command
from skeletr.evaluation.fusion import ScoreError, ScoreFile, fuse

NAMES = ("a", "b", "c")
LABELS = ("run", "walk")
SCORES = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]])


def _file(**changes: object) -> ScoreFile:
    values = {
        "names": NAMES,
        "labels": LABELS,
        "scores": SCORES,
        "targets": np.array([0, 1, 1]),
        "source": "joint.npz",
    }
    return ScoreFile(**(values | changes))


def _shuffled(file: ScoreFile, rows: list[int], columns: list[int]) -> ScoreFile:
    """The same content in another order."""
    return ScoreFile(
        [file.names[r] for r in rows],
        [file.labels[c] for c in columns],
        file.scores[np.ix_(rows, columns)],
        np.array([columns.index(t) for t in file.targets[rows]]),
        "bone.npz",
    )


@pytest.mark.parametrize("name", ["s.npz", "s.json", "unnamed"])
@pytest.mark.parametrize("known", [True, False])
def test_score_files_survive_saving(tmp_path: Path, name: str, known: bool) -> None:
    file = _file(names=("größer", "b c", "d"), **({} if known else {"targets": None}))
    file.save(tmp_path / "new" / name)
    assert [p.name for p in (tmp_path / "new").iterdir()] == [name]
    again = ScoreFile.load(tmp_path / "new" / name)
    assert (again.names, again.labels) == (file.names, file.labels)
    np.testing.assert_array_equal(again.scores, file.scores)
    if known:
        np.testing.assert_array_equal(again.targets, file.targets)
    else:
        assert again.targets is None


def test_a_file_that_is_there_stays_if_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.npz"
    _file().save(path)
    before = path.read_bytes()
    monkeypatch.setattr(np, "savez_compressed", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        _file(names=("x", "y", "z")).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_files_are_aligned_by_name_and_label() -> None:
    file = _file()
    other = _shuffled(file, [2, 0, 1], [1, 0])
    for fused in (fuse([(file, 1), (other, 1)]), fuse([(file, 0.3), (other, 5)])):
        assert (fused.names, fused.labels) == (NAMES, LABELS)
        np.testing.assert_allclose(fused.scores, SCORES)
        np.testing.assert_array_equal(fused.targets, file.targets)
        np.testing.assert_allclose(fused.scores.sum(axis=1), 1)


def test_targets_of_the_second_file_follow_the_labels_of_the_first() -> None:
    # Three labels, because a swap of two is its own inverse.
    file = ScoreFile(("a", "b"), ("x", "y", "z"), np.eye(3)[:2], np.array([0, 1]))
    other = _shuffled(file, [1, 0], [2, 0, 1])
    fused = fuse([(replace(file, targets=None), 1), (other, 1)])
    assert fused.targets.tolist() == [0, 1]
    np.testing.assert_allclose(fused.scores, file.scores)


def test_weights_and_softmax_by_hand() -> None:
    rgb = _file(scores=np.array([[1, 0], [0, 1], [0, 1]]), source="rgb.npz")
    two_to_one = fuse([(rgb, 2), (_file(), 1)])
    np.testing.assert_allclose(two_to_one.scores, (2 * rgb.scores + SCORES) / 3)
    assert two_to_one.source == "rgb.npz + joint.npz"
    logits = _file(scores=np.log(SCORES) + np.array([[700], [-700], [0]]))
    np.testing.assert_allclose(fuse([(logits, 1)], softmax=True).scores, SCORES)
    np.testing.assert_allclose(fuse([(logits, 1)]).scores, logits.scores)


@pytest.mark.parametrize(
    ("changes", "weight", "said"),
    [
        ({"names": ("a", "b", "d")}, 1, r"bone.*other clips.*joint.*1 \(c\).*1 \(d\)"),
        ({"labels": ("run", "jump")}, 1, r"bone.*other labels.*walk.*jump"),
        ({"targets": np.array([0, 1, 0])}, 1, r"bone.*label of c is 'run'.*joint.*'walk'; 1 clip"),
        ({}, 0, "bone.*weight is 0"),
        ({}, -1, "weight is -1"),
        ({}, float("nan"), "weight is nan"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict, weight: float, said: str) -> None:
    with pytest.raises(ScoreError, match=said):
        fuse([(_file(), 1), (_file(**changes, source="bone.npz"), weight)])


def test_nothing_cannot_be_fused() -> None:
    with pytest.raises(ScoreError, match="at least one"):
        fuse([])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"names": ("a", "a", "b")}, "clip 'a' is there twice"),
        ({"labels": ("run", "run")}, "label 'run' is there twice"),
        ({"names": ("a", "b")}, r"scores \(3, 2\), expected \(2, 2\)"),
        ({"names": (1, 2, 3)}, "no text"),
        ({"names": (), "scores": np.zeros((0, 2)), "targets": None}, "expected .* some"),
        ({"scores": np.where(SCORES == 0.6, np.nan, SCORES)}, "score of b for 'walk'"),
        ({"targets": np.array([0, 1])}, "targets"),
        ({"targets": np.array([0, 1, 2])}, r"0\.\.1"),
        ({"targets": np.array([0.0, 1.0, 1.0])}, "whole numbers"),
    ],
)
def test_scores_that_cannot_be(changes: dict, said: str) -> None:
    with pytest.raises(ScoreError, match=said) as info:
        _file(**changes)
    assert "joint.npz" in str(info.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("s.npz", b""),
        ("s.npz", b"no archive at all"),
        ("s.json", b"{"),
        ("s.json", b"\xff\xfe"),
        ("s.json", b"[1, 2]"),
        ("s.json", b'{"version": 2}'),
        ("s.json", b'{"version": 1, "labels": []}'),
        ("s.json", b'{"version": 1, "names": "ab", "labels": ["x"], "scores": [[1], [2]]}'),
        (
            "s.json",
            b'{"version": 1, "names": ["a"], "labels": ["x", "y"], "scores": [[1], [2, 3]]}',
        ),
    ],
)
def test_files_that_hold_no_scores_are_named(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ScoreError, match=r"s\.(npz|json)"):
        ScoreFile.load(path)
    with pytest.raises(ScoreError, match=r"absent\.npz"):
        ScoreFile.load(tmp_path / "absent.npz")


def test_pickles_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "s.npz"
    np.savez(path, version=1, names=np.array(["a"], object), labels=np.array(["x"]), scores=[[1.0]])
    with pytest.raises(ScoreError, match="pickle"):
        ScoreFile.load(path)


@pytest.mark.parametrize("byte", [60, 200, 300])
def test_a_damaged_archive_is_named(tmp_path: Path, byte: int) -> None:
    path = tmp_path / "s.npz"
    _file().save(path)
    content = bytearray(path.read_bytes())
    content[byte : byte + 40] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(ScoreError, match=r"s\.npz"):
        ScoreFile.load(path)


# Command


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    fusion_command.add_arguments(parser)
    return fusion_command.run(parser.parse_args(list(arguments)))


def test_command_shows_each_file_and_the_fusion(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    joint, bone = tmp_path / "joint.npz", tmp_path / "bone.json"
    _file(targets=None).save(joint)
    _file(scores=SCORES[:, ::-1]).save(bone)
    out, fused = tmp_path / "results.json", tmp_path / "fused.npz"
    assert _run(str(joint), f"{bone}:3", "--json", str(out), "--out", str(fused)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "3 clips, 2 labels"
    assert lines[2].split() == [str(joint), "1", "66.67", "100.00", "75.00"]
    assert lines[3].split() == [str(bone), "3", "33.33", "100.00", "25.00"]
    results = json.loads(out.read_text())
    assert [r["weight"] for r in results] == [1, 3, None]
    assert results[-1]["top1"] == pytest.approx(1 / 3)
    np.testing.assert_allclose(
        ScoreFile.load(fused).scores, (SCORES + 3 * SCORES[:, ::-1]) / 4, atol=1e-12
    )
    assert _run(str(joint), str(bone), "--softmax", "--json", "-") == 0
    assert len(json.loads(capsys.readouterr().out)) == 3


def test_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "joint.npz"
    _file(targets=None).save(path)
    assert _run(str(path)) == 1
    assert "no targets" in capsys.readouterr().err
    assert _run(str(tmp_path / "absent.npz")) == 1
    assert "absent.npz" in capsys.readouterr().err
    assert _run(f"{path}:0") == 1
    assert "weight is 0" in capsys.readouterr().err


def test_a_colon_may_be_part_of_a_name(tmp_path: Path) -> None:
    path = tmp_path / "joint:2"
    _file().save(path)
    assert fusion_command.parse(str(path)) == (str(path), 1)
    assert fusion_command.parse(f"{path}:0.5") == (str(path), 0.5)
    assert fusion_command.parse("C:/x.npz") == ("C:/x.npz", 1)
