"""The same videos over a Ray cluster that is started here."""

from __future__ import annotations

import pytest

from skeletr.cli import main
from tests import test_many_videos
from tests.test_many_videos import hidden, results

pytest.importorskip("ray", reason="Ray is not installed: pip install -r requirements-ray.txt")
portrait, folder, one = test_many_videos.portrait, test_many_videos.folder, test_many_videos.one


def test_a_cluster_finds_what_one_worker_finds(folder, one, tmp_path, capsys):
    command = ["recognize", str(folder), "--out", str(tmp_path), "--no-video"]
    assert main([*command, "--ray", "local", "--workers", "2"]) == 1
    assert results(tmp_path) == results(one)
    said = capsys.readouterr()
    assert "letter.mp4 is not a video" in said.err and "Traceback" not in said.err
    assert "2 of 3 videos are done" in said.out
    assert not hidden(tmp_path)


def test_a_cluster_that_is_not_there_is_said(portrait, tmp_path, capsys):
    command = ["recognize", str(portrait), "--out", str(tmp_path), "--no-video"]
    assert main([*command, "--ray", "127.0.0.1:1"]) == 2
    said = capsys.readouterr().err
    assert "no Ray cluster can be reached at 127.0.0.1:1" in said and "Traceback" not in said
