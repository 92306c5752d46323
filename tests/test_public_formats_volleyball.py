"""Volleyball: a label of the group and one of every player."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from skeletr.cli import main
from skeletr.datasets.clip import DatasetError
from skeletr.datasets.volleyball import read_volleyball
from skeletr.skeleton import V
from tests.public_files import people, write_volleyball


def test_volleyball_has_a_label_of_the_group_and_one_of_every_player(tmp_path: Path) -> None:
    notes: list[str] = []
    samples = list(read_volleyball(write_volleyball(tmp_path), fps=25, note=notes.append))
    assert [(s.name, s.split, s.group) for s in samples] == [
        ("2/100", "val", "2"),
        ("4/100", "test", "4"),
    ]
    recording = samples[1].recording
    assert recording.image_size == (1280, 720)
    assert samples[0].recording.image_size == (1920, 1080)
    assert recording.people == [0, 1]  # the third is the first again
    assert recording.end == pytest.approx(4 / 25)
    by_person = {a.person: a.label for a in recording.actions}
    assert by_person == {None: "left spike", 0: "spiking", 1: "blocking"}
    assert {a.person: a.label for a in samples[0].recording.actions} == {
        None: "right set",
        0: "setting",
        1: "moving",
    }
    assert len(notes) == 1 and "4/200: there are no joints" in notes[0]


@pytest.mark.parametrize("third", [None, np.arange(V)])
def test_volleyball_needs_no_tracks_and_no_scores(third: np.ndarray | None, tmp_path: Path) -> None:
    folder = write_volleyball(tmp_path, third)
    (folder / "tracks_normalized.pkl").unlink()
    recording = list(read_volleyball(folder))[1].recording
    assert {a.person: a.label for a in recording.actions}[1] == "blocking"
    assert set(np.unique(recording.keypoints[..., 2])) == {0, 1}  # eyes and ears are not there


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("100.jpg spike 1 2 3 4 standing", "activity 'spike', expected one like l_spike"),
        ("100.jpg l_spike 1 2 3 standing", "6 fields, expected"),
        ("100.jpg l_spike 1 2 x 4 standing", "'1 2 x 4 standing', expected X Y W H ACTION"),
        ("first l_spike 1 2 3 4 standing", "7 fields, expected FRAME.jpg"),
    ],
)
def test_volleyball_lines_that_do_not_fit_are_named(line: str, said: str, tmp_path: Path) -> None:
    folder = write_volleyball(tmp_path)
    (folder / "videos" / "2" / "annotations.txt").write_text(f"\n{line}\n")
    with pytest.raises(DatasetError, match=rf"annotations\.txt, line 2: .*{said}"):
        list(read_volleyball(folder))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({98: np.zeros((2, 17, 3)), 99: np.zeros((3, 17, 3))}, "do not all hold the same players"),
        ({98: np.zeros((2, 13, 3))}, r"joints \(2, 13, 3\), expected \(P, 17, 3\)"),
        ({98: np.ones((2, 17, 3))}, r"frames 98\.\.98, without 100"),
        ([1, 2], "expected a dict of frame -> joints"),
        ({100: people([400], 1)[:, 0]}, r"100\.pickle has 1 players.*\(3, 4\)"),
    ],
)
def test_volleyball_joints_that_do_not_fit_are_named(
    content: object, said: str, tmp_path: Path
) -> None:
    folder = write_volleyball(tmp_path)
    (folder / "joints" / "2" / "100.pickle").write_bytes(pickle.dumps(content))
    with pytest.raises(DatasetError, match=said):
        list(read_volleyball(folder))


def test_volleyball_empty_folder_and_prepare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DatasetError, match=r"holds no VIDEO/annotations\.txt"):
        list(read_volleyball(tmp_path))
    source = write_volleyball(tmp_path / "v")
    assert main(["prepare", "volleyball", str(source), "--out", str(tmp_path / "out")]) == 0
    assert "2 samples (0 train, 1 val, 1 test), 6 labels" in capsys.readouterr().out
