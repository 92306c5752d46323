"""The errors of the pose frontend on real clips, beside those that training imitates.

    python -m benchmarks.pose_errors --videos DIR [--data DIR] [--most 40] [--json FILE]

Nobody knows where the joints of the real clips are, so what is measured can be seen without: how
far a joint is off the line between its neighbours in time, how often it is unsure or lost, how
often a person is not found in between, and how often left and right are confused from one frame to
the next. The same of validation clips, as recorded and with `NoiseConfig()`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.machine import machine, told, write_json
from benchmarks.pose import CLIPS
from skeletr.datasets import DATASETS, load_clips
from skeletr.datasets.archives import DATA_VARIABLE, data_root
from skeletr.datasets.load import EXPERIMENTS_ONLY
from skeletr.datasets.noise import NoiseConfig
from skeletr.evaluation.protocol import clip_recording
from skeletr.pipeline import record_video
from skeletr.pose import create_frontend
from skeletr.recording import Recording
from skeletr.skeleton import COCO_FLIP

_SURE = 0.3  # least score of a joint that is believed
_TORSO = [5, 6, 11, 12]  # shoulders and hips: where left and right are told apart
_CONFUSED = 0.5  # of the way that the torso's joints go, if left and right were changed back
_LONGEST = 1.0  # seconds between two frames of a person that are compared
_COLUMNS = ("jitter", "jitter_p90", "unsure", "lost", "unseen", "swaps")


def errors(recordings: Iterable[Recording]) -> dict[str, float]:
    """Of all people together.

    jitter, jitter_p90: percent of the person's size, median and 90th percentile over the joints.
    unsure, lost: percent of joints below a score of 0.3, and without any. unseen: percent of the
    frames between a person's first and last in which nothing of them is found. swaps: a minute.
    """
    jitter, scores = [], []
    frames = unseen = swaps = 0
    seconds = 0.0
    for recording in recordings:
        if len(recording.frame_times) < 3:
            continue
        step = float(np.median(np.diff(recording.frame_times)))
        for person in recording.people:
            rows = np.flatnonzero(recording.person == person)
            joints, number = recording.keypoints[rows].astype(np.float64), recording.frame[rows]
            times = recording.frame_times[number]
            size = float(np.median(recording.boxes[rows, 3] - recording.boxes[rows, 1]))
            if len(rows) < 3 or size <= 0:
                continue
            scores.append(joints[..., 2].ravel())
            frames += int(number[-1] - number[0]) + 1
            unseen += int(number[-1] - number[0]) + 1 - len(rows)
            seconds += float(times[-1] - times[0]) + step
            jitter.append(100 / size * _off_the_line(joints, number))
            near = np.diff(times) < _LONGEST
            swaps += int((_confused(joints) & near).sum())
    off, score = np.concatenate(jitter), np.concatenate(scores)
    values = (
        float(np.median(off)),
        float(np.percentile(off, 90)),
        100 * float((score < _SURE).mean()),
        100 * float((score <= 0).mean()),
        100 * unseen / frames,
        60 * swaps / seconds,
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _off_the_line(joints: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Pixels from the middle between the frames before and after, of joints sure in all three."""
    inside = (number[2:] - number[1:-1] == 1) & (number[1:-1] - number[:-2] == 1)
    sure = joints[..., 2] >= _SURE
    there = sure[2:] & sure[1:-1] & sure[:-2] & inside[:, None]
    middle = (joints[2:, :, :2] + joints[:-2, :, :2]) / 2
    return np.linalg.norm(joints[1:-1, :, :2] - middle, axis=-1)[there]


def _confused(joints: np.ndarray) -> np.ndarray:
    """(T - 1,) bool: the torso's joints would go far less if left and right changed places."""
    torso, sure = joints[:, _TORSO, :2], (joints[:, _TORSO, 2] >= _SURE).all(axis=1)
    changed = joints[:, np.array(COCO_FLIP)[_TORSO], :2]
    plain = np.linalg.norm(torso[1:] - torso[:-1], axis=-1).sum(axis=1)
    other = np.linalg.norm(changed[1:] - torso[:-1], axis=-1).sum(axis=1)
    return sure[1:] & sure[:-1] & (other < _CONFUSED * plain)


def filmed(folder: Path) -> dict[str, Recording]:
    """The clips of `benchmarks.pose` that show people and are there, through the frontend."""
    found = {}
    for clip in CLIPS:
        path = folder / clip.name
        if not path.is_file():
            print(f"{clip.name}: not in {folder}, left out", file=sys.stderr)
            continue
        frontend = create_frontend()
        try:
            recording, _ = record_video(path, frontend)
        finally:
            frontend.close()
        if recording.people:
            found[clip.name] = recording
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=Path, required=True, help="folder with the clips")
    parser.add_argument("--data", help=f"folder with the data sets (default: ${DATA_VARIABLE})")
    parser.add_argument("--most", type=int, default=40, help="clips of a data set (default: 40)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    real = filmed(options.videos)
    if not real:
        parser.error(f"nobody is seen in the clips of {options.videos}")
    rows = {name: errors([recording]) for name, recording in real.items()}
    rows["all of them"] = errors(real.values())
    names = [name for name in DATASETS if name not in EXPERIMENTS_ONLY]
    clips = [c for c in load_clips(data_root(options.data), names) if c.split == "val"]
    clips = [c for n in names for c in [d for d in clips if d.dataset == n][: options.most]]
    rows[f"{len(clips)} clips as recorded"] = errors(clip_recording(c) for c in clips)
    noise = NoiseConfig()
    rows["the same with NoiseConfig()"] = errors(clip_recording(c, noise) for c in clips)
    facts = machine()
    print(told(facts))
    print("| people of | jitter, % of size | p90 | unsure, % | lost, % | unseen, % | swaps a min |")
    print("|---" * (1 + len(_COLUMNS)) + "|")
    for name, row in rows.items():
        print(f"| {name} | " + " | ".join(f"{row[c]:.2f}" for c in _COLUMNS) + " |")
    if options.json:
        write_json(options.json, facts, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
