from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from skeletr.evaluation import ava, ava_command
from skeletr.evaluation.ava import AvaError


def _write(folder: Path, text: str, name: str = "some.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_files_are_read(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        "\ufeffv,0902,0.1,0.2,0.3,0.4,12,0\n\nv,902.0,0.1,0.2,0.3,0.4,80,1\nw,903\n"
        '"a,b",1000.5,0,0,1,1,3\n',
    )
    truth = ava.read_ground_truth(path)
    assert truth.frames == (("v", 902.0), ("w", 903.0), ("a,b", 1000.5))
    assert truth.frame.tolist() == [0, 0, 2]
    assert truth.actions.tolist() == [12, 80, 3]
    assert truth.scores.tolist() == [1, 1, 1]  # the last column is a person
    np.testing.assert_allclose(truth.boxes[0], [0.1, 0.2, 0.3, 0.4])
    excluded = ava.read_excluded(_write(tmp_path, "v,0902\nw,1000\n"))
    assert excluded == {("v", 902.0), ("w", 1000.0)}
    assert len(ava.read_predictions(_write(tmp_path, ""))) == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("v,902,0,0,1,1,3", "7 columns; expected video_id.*score"),
        ("v,902,0,0,1,1,3,0.5,9", "9 columns"),
        ("v,902,0,0,1,1,3,high", "score is 'high'; expected a number"),
        ("v,902,0,0,1,1,3,nan", "score is 'nan'"),
        ("v,then,0,0,1,1,3,0.5", "timestamp is 'then'"),
        ("v,902,312,0,640,1,3,0.5", "x1 is 312; expected a share"),
        ("v,902,0,0,1,,3,0.5", "y2 is ''"),
        ("v,902,0,0,1,1,walk,0.5", "action id is 'walk'; expected a whole number"),
        ("v,902,0,0,1,1,-3,0.5", "action id is '-3'"),
        ("v,902,0,0,1,1,3.0,0.5", r"action id is '3\.0'"),
    ],
)
def test_broken_predictions_are_named_with_their_line(tmp_path: Path, line: str, said: str) -> None:
    path = _write(tmp_path, f"v,901,0,0,1,1,3,0.5\n{line}\n")
    with pytest.raises(AvaError, match=rf"some\.csv, line 2: .*{said}"):
        ava.read_predictions(path)


def test_broken_ground_truth_and_exclusions(tmp_path: Path) -> None:
    path = _write(tmp_path, "v,902,0.5,0,0.4,1,3,0\n")
    with pytest.raises(AvaError, match=r"some\.csv, line 1: box .*expected x1 <= x2"):
        ava.read_ground_truth(path)
    with pytest.raises(AvaError, match=r"some\.csv, line 1: 8 columns; expected video_id,time"):
        ava.read_excluded(path)
    with pytest.raises(AvaError, match=r"absent\.csv"):
        ava.read_ground_truth(tmp_path / "absent.csv")
    (tmp_path / "b.csv").write_bytes(b"v,902\n\xff\xfe\x00,1\n")
    with pytest.raises(AvaError, match=r"b\.csv"):
        ava.read_excluded(tmp_path / "b.csv")


@pytest.mark.parametrize(
    "text",
    [
        'label_id,label_name,label_type\n1,"bend/bow (at, the waist)",MOVE\n80,watch\n',
        '1,"bend/bow (at, the waist)"\n80,watch\n',
        'item {\n  name: "bend/bow (at, the waist)"\n  id: 1\n}\nitem {name: "watch" id: 80}\n',
        'label {\n  name: "bend/bow (at, the waist)"\n  label_id: 1\n  label_type: X\n}\n'
        'label {\n  label_id: 80\n  name: "watch"\n}\n',
    ],
)
def test_labels_in_all_their_forms(tmp_path: Path, text: str) -> None:
    path = _write(tmp_path, text)
    assert ava.read_labels(path) == {1: "bend/bow (at, the waist)", 80: "watch"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no labels"),
        ("id,name\n", "holds no labels"),
        ("1,a\nx,b\n", "line 2: action id is 'x'"),
        ("1,a\n1,b\n", "line 2: id 1 is there twice, 'a' and 'b'"),
        ("1,a,b,c\n", "line 1: 4 columns"),
        ('item {\n  name: "a"\n}\n', "line 1: .*expected name"),
        ('item { name: "a" id: 1 }\nitem { id: 2 }\n', "line 2"),
    ],
)
def test_broken_labels(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(AvaError, match=rf"(?s)some\.csv.*{said}"):
        ava.read_labels(_write(tmp_path, text))


# Command


def _run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    ava_command.add_arguments(parser)
    return ava_command.run(parser.parse_args([str(a) for a in arguments]))


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = _write(tmp_path, "v,1,0,0,1,1,1\nv,2,0,0,1,1,80\nv,3,0,0,1,1,80\n", "t.csv")
    found = _write(tmp_path, "v,1,0,0,1,1,1,0.5\nv,2,0,0,1,1,80,0.5\nv,9,0,0,1,1,1,1\n", "p.csv")
    excluded = _write(tmp_path, "v,3\n", "e.csv")
    files = ("--ground-truth", truth, "--predictions", found)
    out = tmp_path / "new" / "r.json"
    assert _run(*files, "--json", out) == 0
    said = capsys.readouterr()
    table = {line[:20].strip(): line[20:].split() for line in said.out.splitlines()}
    assert table["all"] == ["75.00", "2", "3"]
    assert table["person movement"] == ["100.00", "1", "1"]
    assert table["object manipulation"] == ["-", "0", "0"]
    assert table["person interaction"] == ["50.00", "1", "2"]
    assert "1 detections ignored" in said.err
    result = json.loads(out.read_text())
    assert result["map"] == pytest.approx(0.75)
    assert result["groups"]["object manipulation"] is None
    assert len(result["classes"]) == 60

    labels = _write(tmp_path, "80,watch\n3,crouch\n", "l.csv")
    arguments = ("--excluded", excluded, "--labels", labels, "--per-frame", 0, "--json", "-")
    assert _run(*files, *arguments) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["classes"] == [
        {"id": 3, "name": "crouch", "boxes": 0, "ap": None},
        {"id": 80, "name": "watch", "boxes": 1, "ap": 1.0},
    ]


def test_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = _write(tmp_path, "v,1,0,0,1,1,1\n", "t.csv")
    assert _run("--ground-truth", truth, "--predictions", tmp_path / "absent.csv") == 1
    assert "absent.csv" in capsys.readouterr().err
    assert _run("--ground-truth", truth, "--predictions", truth, "--per-frame", -1) == 1
    assert "t.csv, line 1" in capsys.readouterr().err
