"""Every kind of broken or odd video gives frames or one clear sentence, and nothing else.

`SKELETR_FLIPS=1000 pytest tests/broken/test_videos.py` tries that many damaged files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.broken import damaged_videos, no_videos, odd_videos  # noqa: F401 - they fill KINDS
from tests.broken.decoder import Decoded, Decoder
from tests.broken.encoding import images, video
from tests.broken.kinds import FRAMES, KINDS, REFUSED, Unavailable

PATIENCE = 30.0  # seconds after which a file hangs
ANSWER = 5.0  # seconds in which one is answered; on a free machine each takes well below one
TRIES = 3  # the machine may do other work
FLIPS = int(os.environ.get("SKELETR_FLIPS", "20"))
_LONGEST = 320  # characters of a sentence besides the name of the file
CONTAINERS = {
    "mp4": {},
    "mkv": {},
    "avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "webm": {"codec": "libvpx"},
    "ts": {"codec": "mpeg2video", "rate": 25},
}


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder(PATIENCE) as found:
        yield found


def check_sentence(error: str, path: Path) -> None:
    assert error.startswith(path.name) and error.rstrip().endswith((".", "!"))
    assert str(path.parent) not in error
    rest = error[len(path.name) :]
    assert len(rest) < _LONGEST and "\n" not in rest and "Traceback" not in rest


def check(found: Decoded, path: Path) -> None:
    """Frames, or a sentence, and never anything else."""
    assert not found.fault, found.fault
    if found.error:
        check_sentence(found.error, path)
    else:
        assert found.frames


def in_time(decoder: Decoder, path: Path) -> Decoded:
    """What comes of a file, which must be said within `ANSWER`."""
    for _ in range(TRIES):
        found = decoder.decode(path)
        if found.fault or found.seconds <= ANSWER:
            return found
    raise AssertionError(f"{path.name} took {found.seconds:.1f} s, {TRIES} times above {ANSWER} s")


def test_there_are_at_least_forty_kinds() -> None:
    assert len(KINDS) >= 40


@pytest.mark.parametrize("name", KINDS)
def test_frames_or_one_sentence(name: str, decoder: Decoder, tmp_path: Path) -> None:
    kind = KINDS[name]
    try:
        path = kind.make(tmp_path)
    except Unavailable as reason:
        pytest.skip(str(reason))
    found = in_time(decoder, path)
    check(found, path)
    if kind.expected == FRAMES:
        assert found.frames and not found.error
    elif kind.expected == REFUSED:
        assert not found.frames and kind.said in found.error


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A small valid file of each container."""
    folder = tmp_path_factory.mktemp("whole")
    return {
        ending: video(folder / f"a.{ending}", images(12, (64, 48)), **options).read_bytes()
        for ending, options in CONTAINERS.items()
    }


def flipped(data: bytes, seed: int) -> bytes:
    """Some bytes replaced, in half of the cases near the beginning where the headers are."""
    rng = np.random.default_rng(seed)
    changed = np.frombuffer(data, np.uint8).copy()
    reach = min(len(data), 1500) if rng.random() < 0.5 else len(data)
    places = rng.integers(0, reach, rng.integers(1, 24))
    changed[places] = rng.integers(0, 256, len(places))
    return changed.tobytes()


@pytest.mark.parametrize("ending", CONTAINERS)
def test_flipped_bytes(ending: str, whole: dict, decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / f"flipped.{ending}"
    for seed in range(-(-FLIPS // len(CONTAINERS))):
        path.write_bytes(flipped(whole[ending], seed))
        found = in_time(decoder, path)
        assert not found.fault, f"seed {seed}: {found.fault}"
        check(found, path)
