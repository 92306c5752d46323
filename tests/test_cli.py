"""`python -m skeletr recognize` with the real pose model and the shipped checkpoint."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from skeletr.cli import COMMANDS, main
from skeletr.devices import is_out_of_memory
from skeletr.pose import PoseError, create_frontend
from skeletr.recording import Recording
from skeletr.video import VideoReader

ROOT = Path(__file__).parents[1]
FILES = ["actions.csv", "annotated.mp4", "recording.npz", "result.json"]


@pytest.fixture(scope="module")
def portrait(make_video) -> Path:
    """Two seconds of one person, made from a public-domain photograph."""
    try:
        create_frontend().close()
    except PoseError as error:
        pytest.skip(f"the pose model cannot be had here: {error}")
    data = pytest.importorskip("skimage.data", reason="scikit-image is not installed")
    photo = cv2.resize(data.astronaut(), (320, 320))
    return make_video("portrait.mp4", (np.roll(photo, i % 3, axis=1) for i in range(20)))


def test_a_video_becomes_a_folder(portrait, tmp_path, capsys):
    assert main(["recognize", str(portrait), "--out", str(tmp_path)]) == 0
    folder = tmp_path / "portrait"
    assert sorted(p.name for p in folder.iterdir()) == FILES
    facts = json.loads((folder / "result.json").read_text())
    assert len(facts["people"]) == 1
    assert len(list(VideoReader(folder / "annotated.mp4"))) == 20
    recording = Recording.load(folder / "recording.npz")
    assert recording.people == [1]
    assert "portrait.mp4: 20 frames, 1 people" in capsys.readouterr().out


def test_a_bad_file_fails_and_the_good_one_is_done(portrait, tmp_path, capsys):
    letter = tmp_path / "letter.mp4"
    letter.write_text("Dear all")
    out = tmp_path / "out"
    videos = [str(letter), str(portrait), str(portrait)]
    assert main(["recognize", *videos, "--out", str(out), "--no-video"]) == 1
    assert sorted(p.name for p in out.iterdir()) == ["portrait", "portrait-2"]
    assert "annotated.mp4" not in [p.name for p in (out / "portrait").iterdir()]
    problem = capsys.readouterr().err
    assert "letter.mp4" in problem and "Traceback" not in problem


def test_a_folder_that_cannot_be_written_is_named(portrait, tmp_path, capsys):
    (tmp_path / "taken").write_text("a file where a folder should be")
    videos = ["recognize", str(portrait), "--no-video", "--out", str(tmp_path / "taken")]
    assert main(videos) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--checkpoint", "nowhere"], "config.json is missing"),
        (["--threshold", "7"], "expected between 0 and 1"),
        (["--pose", "rtmlib"], "pip install"),
    ],
)
def test_what_cannot_be_met_is_said_before_any_work(arguments, said, tmp_path, capsys):
    if "rtmlib" in arguments and importlib.util.find_spec("rtmlib"):
        pytest.skip("rtmlib is installed here")
    code = main(["recognize", "any.mp4", "--out", str(tmp_path / "out"), *arguments])
    assert code == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


FULL = (
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("CUDA error: out of memory\nCompile with `TORCH_USE_CUDA_DSA`"),
)


@pytest.mark.parametrize("error", FULL, ids=str)
@pytest.mark.parametrize(
    ("place", "arguments", "code"),
    [
        ("skeletr.commands.recognize.VideoWorker", ["recognize", __file__], 2),
        ("skeletr.training.command.train", ["train", str(ROOT / "configs" / "default.yaml")], 1),
    ],
)
def test_a_full_graphics_card_is_one_sentence(
    place, arguments, code, error, monkeypatch, capsys, tmp_path
):
    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr(place, full)
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    said = capsys.readouterr().err
    assert "graphics card has no memory left" in said and said.count("\n") == 1


def test_other_errors_are_not_taken_for_a_full_graphics_card():
    assert not is_out_of_memory(RuntimeError("CUDA error: device-side assert triggered"))
    assert not is_out_of_memory(MemoryError("CUDA error: out of memory"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert f"python -m skeletr {command}" in said
    assert "options:" in said


def test_without_a_command_they_are_listed(capsys):
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 2
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(command in said for command in COMMANDS)
