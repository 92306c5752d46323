"""Held-out clips as a webcam may show them: half of the body, far away, mirrored, few pictures.

    SKELETR_DATA=... python -m benchmarks.conditions [--checkpoint FOLDER] [--split val]

Every clip goes through the live recogniser as it was recorded, with the errors of a pose model, and
with these errors under one condition after the other. From the waist up only what is done with the
arms is counted, beside the same clips seen as a whole.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.machine import machine, told, write_json
from skeletr.checkpoint import DEFAULT_CHECKPOINT, Checkpoint
from skeletr.datasets import DATASETS
from skeletr.datasets.archives import data_root
from skeletr.datasets.clip import Clip
from skeletr.datasets.load import load_clips
from skeletr.datasets.noise import NoiseConfig, crop
from skeletr.evaluation.live import people_scores, recognise
from skeletr.evaluation.protocol import clip_recording
from skeletr.recognizer import Recognizer, RecognizerConfig
from skeletr.recording import Recording
from skeletr.skeleton import keypoint_boxes
from skeletr.training.augment import AugmentConfig, vary

ARMS = {
    *("beckon", "catch", "check the watch", "clap", "draw in the air", "drink", "flap the arms"),
    *("hammer", "phone call", "play the guitar", "point", "pour", "pull an object", "wave"),
    *("punch the air", "push an object", "raise a hand", "raise an arm to the side", "shake hands"),
    *("hand over an object", "signal to stop", "swipe", "throw"),
    *(f"make the letter {letter}" for letter in "ACKMPTXY"),
}
_HEAD, _HIPS, _KNEES = [0, 1, 2, 3, 4], [11, 12], [13, 14]
_TOP = 0.12  # of the picture, above the head
_FEW = 8.0  # pictures a second
_SMALL = 0.2  # of the size in the middle of the picture
_BESIDE = 1.4  # widths of a body between the two


def waist_up(recording: Recording) -> Recording:
    """A camera so near that the picture ends below the hips."""
    return _near(recording, _HIPS, 0.95)


def knees_up(recording: Recording) -> Recording:
    """A camera so near that the picture ends at the knees."""
    return _near(recording, _KNEES, 1.0)


def small(recording: Recording) -> Recording:
    """A fifth of the size, in the upper right corner of the picture."""
    width, _ = recording.image_size
    return _moved(recording, _SMALL, np.array([(1 - _SMALL) * width, 0.0]))


def mirrored(recording: Recording) -> Recording:
    """As a mirror shows it."""
    only = AugmentConfig(camera=0, mirror=1, scale=0, shift=0, speed=0, noisy=0)
    return vary(recording, only, np.random.default_rng(0))


def few_pictures(recording: Recording) -> Recording:
    """Eight pictures a second, at even distances as far as there are any."""
    times = recording.frame_times
    ticks = np.arange(times[0], times[-1] + 1e-6, 1 / _FEW)
    kept = np.unique(np.abs(times[:, None] - ticks).argmin(axis=0))
    place = np.full(len(times), -1)
    place[kept] = np.arange(len(kept))
    there = place[recording.frame] >= 0
    return _rows(
        recording, there, frame_times=times[kept], frame=place[recording.frame][there].astype(int)
    )


def beside_one_who_stands(recording: Recording) -> Recording:
    """With somebody beside who does nothing: the first posture of the first person, held."""
    person = int(recording.person[0])
    body = recording.keypoints[0].copy()
    seen = body[:, 2] > 0
    wide = float(np.ptp(body[seen, 0])) if seen.any() else 0.0
    tall = float(np.ptp(body[seen, 1])) if seen.any() else 0.0
    body[:, 0] += _BESIDE * max(wide, 0.5 * tall) * seen
    frames = np.arange(len(recording.frame_times))
    still = np.repeat(body[None], len(frames), axis=0)
    noise = np.random.default_rng(person).normal(0, 0.003 * tall, still[..., :2].shape)
    still[..., :2] += noise * seen[None, :, None]
    order = np.argsort(np.concatenate([recording.frame, frames]), kind="stable")
    other = int(recording.person.max()) + 1

    def both(own: np.ndarray, new: np.ndarray) -> np.ndarray:
        return np.concatenate([own, new])[order].astype(own.dtype)

    return replace(
        recording,
        frame=both(recording.frame, frames),
        person=both(recording.person, np.full(len(frames), other)),
        keypoints=both(recording.keypoints, still),
        boxes=both(recording.boxes, keypoint_boxes(still)),
    )


@dataclass(frozen=True)
class Condition:
    """noisy: with the errors of a pose model. change: of the recording. arms: count only what is
    done with the arms."""

    noisy: bool = True
    change: Callable[[Recording], Recording] | None = None
    arms: bool = False


CONDITIONS: Mapping[str, Condition] = {
    "as recorded": Condition(noisy=False),
    "pose errors": Condition(),
    "mirrored": Condition(change=mirrored),
    "8 pictures a second": Condition(change=few_pictures),
    "small, in a corner": Condition(change=small),
    "beside one who stands": Condition(change=beside_one_who_stands),
    "from the knees up": Condition(change=knees_up),
    "done with the arms: whole body": Condition(arms=True),
    "done with the arms: from the waist up": Condition(change=waist_up, arms=True),
}


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--split", choices=("test", "val"), default="test")
    parser.add_argument("--most", type=int, default=150, help="clips of a data set, drawn by name")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint = Checkpoint.from_pretrained(args.checkpoint)
    recognizer = Recognizer(checkpoint, RecognizerConfig(attention_kept=0))
    clips = chosen(data_root(args.data), args.split, args.most)
    found = {name: measure(clips, c, recognizer) for name, c in CONDITIONS.items()}
    facts = machine()
    print(told(facts))
    print(
        "\n| condition | clips | right, % | of these not shown as unknown, % |\n|---|---|---|---|"
    )
    for name, row in found.items():
        print(f"| {name} | {row['clips']} | {100 * row['right']:.1f} | {100 * row['sure']:.1f} |")
    if args.json:
        write_json(args.json, facts, found)
    return 0


def chosen(root: Path, split: str, most: int) -> list[Clip]:
    """Labelled clips of a part, at most so many of each data set, always the same ones."""
    clips = [c for c in load_clips(root, tuple(DATASETS)) if c.label and c.split == split]
    clips.sort(key=lambda c: zlib.crc32(c.name.encode()))
    counts: dict[str, int] = {}
    kept = []
    for clip in clips:
        counts[clip.dataset] = counts.get(clip.dataset, 0) + 1
        if counts[clip.dataset] <= most:
            kept.append(clip)
    return kept


def measure(
    clips: list[Clip], condition: Condition, recognizer: Recognizer
) -> dict[str, int | float]:
    """Share of clips of which the most probable label is right, and of these the share whose people
    are given it rather than "unknown" for most of the time."""
    right, sure = [], []
    for clip in clips:
        if condition.arms and clip.label not in ARMS:
            continue
        recording = clip_recording(clip, NoiseConfig() if condition.noisy else None)
        people = set(recording.people)
        if condition.change is not None and people:
            recording = condition.change(recording)
        log = recognise(recording, recognizer)
        own = {p: track for p, track in log.people.items() if p in people}
        scores = people_scores(replace(log, people=own))
        right.append(log.labels[int(scores.argmax())] == clip.label)
        if right[-1]:
            texts = [p.text for t in own.values() for p in t.predictions]
            sure.append(texts.count(clip.label) > texts.count("unknown"))
    shares = (float(np.mean(values or [0])) for values in (right, sure))
    return {"clips": len(right), **dict(zip(("right", "sure"), shares, strict=True))}


def _near(recording: Recording, last: list[int], place: float) -> Recording:
    """Scaled so that the middle of some joints is at `place` of the picture's height."""
    joints = recording.keypoints
    heads, lasts = (_middle(joints[:, part]) for part in (_HEAD, last))
    if heads is None or lasts is None or lasts[1] - heads[1] < 1:
        return recording
    width, height = recording.image_size
    factor = (place - _TOP) * height / (lasts[1] - heads[1])
    shift = np.array([width / 2, _TOP * height]) - factor * heads
    return _moved(recording, factor, shift)


def _middle(joints: np.ndarray) -> np.ndarray | None:
    """(N, J, 3) -> x, y of those that are seen, by the median."""
    seen = joints[joints[..., 2] > 0]
    return np.median(seen[:, :2], axis=0) if len(seen) else None


def _moved(recording: Recording, factor: float, offset: np.ndarray) -> Recording:
    joints = recording.keypoints.copy()
    seen = joints[..., 2:] > 0
    joints[..., :2] = joints[..., :2] * factor + offset
    joints = crop(np.where(seen, joints, 0), recording.image_size)
    there = (joints[..., 2] > 0).any(axis=-1)
    moved = replace(recording, keypoints=joints, boxes=keypoint_boxes(joints))
    return _rows(moved, there)


def _rows(recording: Recording, there: np.ndarray, **changes: np.ndarray) -> Recording:
    kept = {"keypoints": recording.keypoints[there], "boxes": recording.boxes[there]}
    kept |= {"person": recording.person[there], "frame": recording.frame[there]}
    return replace(recording, **(kept | changes))


if __name__ == "__main__":
    raise SystemExit(main())
