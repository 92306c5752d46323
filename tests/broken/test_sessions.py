"""Sessions and sets of taught actions from strangers: opened whole, or refused in one sentence.

`SKELETR_FLIPS=3000` tries that many damaged files of each.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.opening import OpenError, open_skeletons
from app.settings import AppSettings
from skeletr.export import result_dict, write_csv
from skeletr.recognizer import Recognizer
from skeletr.replay import recognize_recording
from skeletr.session import Session
from skeletr.subtitles import write_vtt
from skeletr.teach import TaughtActions, TeachError
from skeletr.video import VideoLimits
from tests.app.fakes import untrained
from tests.broken.damage import damaged, is_one_sentence, with_header
from tests.synthetic import scene

FLIPS = int(os.environ.get("SKELETR_FLIPS", "90"))
LIMITS = VideoLimits()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What is saved of two people, with attention."""
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("session") / "a.npz"
    recording = scene([100, 300], np.arange(40) / 10)
    result = recognize_recording(recording, Recognizer(untrained(AppSettings())))
    Session.of(replace(result, warnings=("a.mp4 is damaged.",))).save(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What is saved of two actions, one of two people."""
    path = tmp_path_factory.mktemp("taught") / "a.npz"
    alone = scene([100], np.arange(30) / 10)
    both = scene([100, 300], np.arange(30) / 10)
    TaughtActions().add("wave", alone, alone.people[0]).add("dance", both).save(path)
    return path.read_bytes()


def show(opened: Session, folder: Path) -> None:
    """Everything that is made of a session without its picture."""
    result = opened.result()
    result_dict(result)
    write_csv(result, folder / "a.csv")
    write_vtt(result.log, folder / "a.vtt")
    Session.of(result).save(folder / "again.npz")
    assert open_skeletons(folder / "again.npz", "again.npz", LIMITS)


def test_damaged_sessions(session: bytes, tmp_path: Path) -> None:
    path, opened = tmp_path / "mine.npz", 0
    for seed in range(FLIPS):
        path.write_bytes(damaged(session, seed))
        try:
            found = open_skeletons(path, path.name, LIMITS)
        except OpenError as error:
            assert is_one_sentence(str(error), path.name, tmp_path), (seed, str(error))
        else:
            opened += 1
            if isinstance(found, Session):  # and no recording
                show(found, tmp_path)
    assert 0 < opened < FLIPS


def test_damaged_sets_of_taught_actions(taught: bytes, tmp_path: Path) -> None:
    path, opened = tmp_path / "mine.npz", 0
    for seed in range(FLIPS):
        path.write_bytes(damaged(taught, seed))
        try:
            found = TaughtActions.load(path)
        except TeachError as error:
            assert is_one_sentence(str(error), path.name, tmp_path), (seed, str(error))
        else:
            opened += 1
            found.save(tmp_path / "again.npz")
            assert TaughtActions.load(tmp_path / "again.npz").names == found.names
    assert 0 < opened < FLIPS


def of_another_zip(whole: bytes) -> bytes:
    """The same, whose first entry says that it needs version 20 of the zip format."""
    data = bytearray(whole)
    data[data.index(b"PK\x01\x02") + 6] = 200
    return bytes(data)


def of_a_long_format(whole: bytes) -> bytes:
    """The same with a name of the format that fills the page."""
    return with_header(whole, lambda header: header.update(format="x" * 5000))


@pytest.mark.parametrize("change", [of_another_zip, of_a_long_format])
@pytest.mark.parametrize(
    ("kind", "load", "refused"),
    [
        ("taught", lambda path: TaughtActions.load(path), TeachError),
        ("session", lambda path: open_skeletons(path, path.name, LIMITS), OpenError),
    ],
)
def test_what_is_no_such_file_is_said_in_one_short_sentence(
    change: Callable[[bytes], bytes],
    kind: str,
    load: Callable[[Path], object],
    refused: type[Exception],
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    path = tmp_path / "mine.npz"
    path.write_bytes(change(request.getfixturevalue(kind)))
    with pytest.raises(refused) as error:
        load(path)
    assert is_one_sentence(str(error.value), path.name, tmp_path)
