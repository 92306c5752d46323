"""A crowd out of one person: copies side by side, each at another moment of what they do."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from skeletr.recording import Recording
from skeletr.skeleton import C, V
from skeletr.video import VideoReader, VideoWriter

_APART = 1.3  # seconds between what one copy does and the next: nobody moves in step
_ROW = 8  # people beside each other


def there_and_back(frames: int, length: int, shift: int) -> np.ndarray:
    """Which of `frames` is shown at each of `length` steps: forwards, then backwards, and so on;
    nobody jumps. shift: steps by which it began before."""
    if frames < 2:
        return np.zeros(length, int)
    around = (np.arange(length) + shift) % (2 * frames - 2)
    return np.where(around < frames, around, 2 * frames - 2 - around)


def place(number: int) -> tuple[int, int]:
    """Column and row of a person."""
    return number % _ROW, number // _ROW


def crowd(one: Recording, people: int, rate: float, seconds: float) -> Recording:
    """A recording of `people` at `rate` frames a second, out of one of a single person.

    Everybody is as large as in `one`, and stands one width of the person's widest box aside.
    """
    rows = np.flatnonzero(one.person == one.people[0])
    times = one.times[rows] - one.times[rows[0]]
    steps = round(times[-1] * rate) + 1
    shown = rows[np.abs(times[None] - np.arange(steps)[:, None] / rate).argmin(axis=1)]
    width, height = (one.boxes[rows, 2:].max(0) - one.boxes[rows, :2].min(0)).tolist()
    length = round(seconds * rate)
    keypoints = np.zeros((people, length, V, C), np.float32)
    for number in range(people):
        column, row = place(number)
        at = there_and_back(steps, length, round(number * _APART * rate))
        keypoints[number] = one.keypoints[shown[at]]
        keypoints[number, ..., :2] -= one.boxes[rows, :2].min(0)
        keypoints[number, ..., 0] += column * width
        keypoints[number, ..., 1] += row * height
    keypoints[..., :2] *= keypoints[..., 2:] > 0  # joints that were not seen are nowhere
    size = round(_ROW * width), round(2 * height)
    return Recording.from_arrays(keypoints, np.arange(length) / rate, size)


def crowd_video(
    video: Path, one: Recording, people: int, seconds: float, size: tuple[int, int], out: Path
) -> Path:
    """Write a video with `people` copies of the one person of `video` before a plain background.

    The picture always has `size` pixels, and a person always the same part of it: there is room
    for 16 in two rows. Only their number differs, not what decoding and drawing a picture costs.

    Args:
        one: the person of `video`, recorded.
    """
    width, height = size[0] // _ROW // 2 * 2, size[1] // 2 // 2 * 2
    tiles, rate = _tiles(video, one, (width, height))
    length = round(seconds * rate)
    orders = [there_and_back(len(tiles), length, round(n * _APART * rate)) for n in range(people)]
    background = tiles[0][:, :4].mean(axis=(0, 1)).astype(np.uint8)
    with VideoWriter(out, size, rate, quality=18) as writer:
        for step in range(length):
            image = np.full((size[1], size[0], 3), background, np.uint8)
            for number, order in enumerate(orders):
                column, row = place(number)
                x, y = column * width, row * height
                image[y : y + height, x : x + width] = tiles[order[step]]
            writer.write(image, step / rate)
    return out


def _tiles(video: Path, one: Recording, size: tuple[int, int]) -> tuple[list[np.ndarray], float]:
    """The part of each frame in which the person ever is, scaled to `size`; frames a second."""
    low, high = one.boxes[:, :2].min(axis=0), one.boxes[:, 2:].max(axis=0)
    centre, extent = (low + high) / 2, (high - low) * 1.1
    scale = max(extent[0] / size[0], extent[1] / size[1])
    reader = VideoReader(video)
    left, top = centre - np.array(size) * scale / 2
    warp = np.array([[scale, 0, left], [0, scale, top]], np.float32)
    flags = cv2.INTER_AREA | cv2.WARP_INVERSE_MAP
    tiles = [
        cv2.warpAffine(f.image, warp, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        for f in reader
    ]
    return tiles, reader.info.fps
