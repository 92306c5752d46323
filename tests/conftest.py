"""Fixtures that several tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest

from skeletr.devices import PRECISION_VARIABLE

VIDEOS_VARIABLE = "SKELETR_TEST_VIDEOS"
_OF_THE_APP = {"app_url", "playwright_driver"}  # one app and one Chromium serve all who use these


def pytest_configure(config: pytest.Config) -> None:
    """Beside other workers (`pytest -n 2`) each has one core."""
    if hasattr(config, "workerinput"):
        import torch

        torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For `pytest -n 2 --dist loadgroup`: what needs the running app or a browser is done by one
    worker, one test at a time, and a file by one worker."""
    for item in items:
        needs_app = _OF_THE_APP.intersection(getattr(item, "fixturenames", ()))
        item.add_marker(pytest.mark.xdist_group("app" if needs_app else item.location[0]))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """With so many threads of PyTorch, and then with as many as before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@pytest.fixture
def in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks are asked in float32, whatever the processor has: for what is compared to 1e-4."""
    monkeypatch.setenv(PRECISION_VARIABLE, "fp32")


@pytest.fixture(scope="session")
def videos() -> Path:
    """Folder of real videos, from the environment; tests that need it are skipped without."""
    folder = os.environ.get(VIDEOS_VARIABLE)
    if not folder:
        pytest.skip(f"{VIDEOS_VARIABLE} is not set: it names a folder with the real test videos")
    if not Path(folder).is_dir():
        pytest.skip(f"{VIDEOS_VARIABLE} names no folder: {folder}")
    return Path(folder)


def pattern(index: int, size: tuple[int, int] = (160, 120)) -> np.ndarray:
    """A frame (H, W, 3) with a bright square that moves right by 4 pixels per frame."""
    width, height = size
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 2] = np.linspace(0, 120, height, dtype=np.uint8)[:, None]
    left = 4 * index % max(width - 20, 1)
    image[20:40, left : left + 20] = (240, 60, 20)
    return image


def write_video(path: Path, frames: Iterator[np.ndarray], fps: int = 10, **stream: object) -> Path:
    """Encode frames with PyAV; `stream` takes codec, pix_fmt, rotation and codec options."""
    codec = stream.pop("codec", "libx264")
    pix_fmt = stream.pop("pix_fmt", "yuv420p")
    rotation = stream.pop("rotation", None)
    with av.open(str(path), "w") as container:
        out = container.add_stream(codec, rate=fps, options=stream)
        for index, image in enumerate(frames):
            if index == 0:
                out.height, out.width = image.shape[:2]
                out.pix_fmt = pix_fmt
                if rotation is not None:
                    out.set_display_rotation(rotation)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pix_fmt)
            container.mux(out.encode(frame))
        container.mux(out.encode(None))
    return path


@pytest.fixture(scope="session")
def moving_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a moving square without people, 160x120 at 10 frames per second."""
    path = tmp_path_factory.mktemp("videos") / "moving.mp4"
    return write_video(path, (pattern(i) for i in range(20)))


@pytest.fixture(scope="session")
def make_video(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a video: `make_video("name.mp4", frames, fps=10, codec=..., pix_fmt=...)`."""
    folder = tmp_path_factory.mktemp("made")

    def make(name: str, frames: Iterator[np.ndarray], **options: object) -> Path:
        return write_video(folder / name, frames, **options)

    return make


@pytest.fixture(scope="session")
def sound_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MP4 with an audio stream and nothing else."""
    path = tmp_path_factory.mktemp("sound") / "sound only.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        for start in range(0, 16_000, 1024):
            tone = np.sin(np.arange(start, start + 1024, dtype=np.float32) / 20)[None]
            frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16_000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
