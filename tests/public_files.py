"""Small files in every public format, written as those formats have them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.synthetic import figure


class Evil:
    """Would run a command when unpickled."""

    def __reduce__(self) -> tuple[Callable, tuple[str]]:
        return eval, ("print('run')",)


def people(places: list[float], frames: int, height: float = 200.0) -> np.ndarray:
    """(M, T, 17, 3) pixels and score of people who stand at x = `places`; eyes, ears missing."""
    body = figure()
    body[:, :2] *= height
    out = np.repeat(np.repeat(body[None, None], len(places), axis=0), frames, axis=1)
    seen = out[..., 2] > 0
    out[..., 0] += np.where(seen, np.array(places)[:, None, None], 0)
    out[..., 1] += np.where(seen, 240, 0)
    return out


def plain(name: str, label: int, joints: np.ndarray) -> dict:
    return {
        "frame_dir": name,
        "label": label,
        "total_frames": joints.shape[1],
        "img_shape": (480, 640),
        "original_shape": (480, 640),
        "keypoint": joints[..., :2].astype(np.float16),
        "keypoint_score": joints[..., 2].astype(np.float16),
    }


def write_plain(path: Path, *more: dict) -> Path:
    two = people([100, 300], 30)
    two[1, :10] = 0  # the second one comes later
    annotations = [plain("S1A1", 0, people([200], 30)), plain("S2A2", 1, two), *more]
    split = {"xsub_train": ["S1A1"], "xsub_val": ["S2A2"], "xview_train": ["S2A2"]}
    path.write_bytes(pickle.dumps({"split": split, "annotations": annotations}))
    return path


XSUB = {"train": "xsub_train", "test": "xsub_val"}


def write_compact(folder: Path) -> Path:
    """Two videos in two keypoint files; frame 1 of the first is empty, frame 0 holds three."""
    (folder / "kpfiles").mkdir(parents=True)
    joints = people([100, 300, 500], 3)
    first = np.concatenate([joints[:, 0], joints[:2, 2]])  # 3 in frame 0, 2 in frame 2
    clips = [
        {"frame_dir": "run/1", "label": 0, "frame_inds": [0, 0, 0, 2, 2], "total_frames": 4}
        | {"box_score": [0.9, 0.4, 0.8, 0.7, 0.6], "raw_file": "/home/x/data/k400/part_b.pkl"},
        {"frame_dir": "sit/2", "label": 1, "frame_inds": [1], "total_frames": 2}
        | {"box_score": [0.9], "raw_file": "data\\k400\\part_a.pkl"},
        {"frame_dir": "sing/3", "label": 2, "frame_inds": [0], "total_frames": 1}
        | {"box_score": [0.9], "raw_file": "part_a.pkl"},
    ]
    for clip in clips:
        clip.update(
            img_shape=(480, 640),
            valid={0.5: 2},
            frame_inds=np.array(clip["frame_inds"], np.int16),
            box_score=np.array(clip["box_score"], np.float16),
        )
    stored = {
        "part_b.pkl": {"run/1": {"keypoint": first.astype(np.float16)}},
        "part_a.pkl": {
            "sit/2": {"keypoint": joints[0, :1].astype(np.float16)},
            "sing/3": {"keypoint": joints[0, :1].astype(np.float16)},
        },
    }
    for name, content in stored.items():
        (folder / "kpfiles" / name).write_bytes(pickle.dumps(content))
    split = {"train": ["run/1", "sing/3"], "val": ["sit/2"]}
    path = folder / "k400.pkl"
    path.write_bytes(pickle.dumps({"split": split, "annotations": clips}))
    return path


XTRAIN = {"train": "train", "val": "val"}


def kinect_body(place: float, frames: int, swing: float = 0.05) -> np.ndarray:
    """(T, 25, 12) rows of a .skeleton file: somebody at x = `place` m who sways.

    The sensor's pictures are mirrored: the left shoulder is on the left.
    """
    out = np.zeros((frames, 25, 12))
    heights = np.linspace(0.9, -0.8, 20)
    out[:, :20, 1] = heights
    out[:, :, 2] = 3.0
    out[:, :, 0] = place + swing * np.sin(np.arange(frames) / 5)[:, None]
    for left, right in ((4, 8), (5, 9), (6, 10), (12, 16), (13, 17), (14, 18)):
        out[:, left, 0] -= 0.2
        out[:, right, 0] += 0.2
    out[..., 5] = 960 + 300 * out[..., 0]
    out[..., 6] = 540 - 300 * out[..., 1]
    out[..., 11] = 2
    return out


def write_skeleton(path: Path, bodies: dict[str, tuple[int, np.ndarray]], frames: int) -> Path:
    """bodies: id -> (first frame, rows)."""
    lines = [str(frames)]
    for frame in range(frames):
        here = [(i, r[frame - s]) for i, (s, r) in bodies.items() if s <= frame < s + len(r)]
        lines.append(str(len(here)))
        for id, rows in here:
            lines += [f"{id} 0 1 1 1 1 0 0.0276 0.0574 2", "25"]
            lines += [" ".join(f"{v:.7g}" for v in row[:11]) + f" {row[11]:.0f}" for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\r\n".join(lines) + "\r\n")
    return path


LONG_ID = "72057594037931101"


def write_ntu(folder: Path) -> Path:
    """A mutual action of a training and of a test performer, a single one, and one with nobody."""
    pair = {LONG_ID: (0, kinect_body(-0.5, 40)), "72057594037931102": (0, kinect_body(0.5, 40))}
    write_skeleton(folder / "a" / "S001C001P001R001A050.skeleton", pair, 40)
    write_skeleton(folder / "b" / "S018C002P003R002A112.skeleton", pair, 40)
    write_skeleton(folder / "a" / "S001C003P002R001A010.skeleton", pair, 40)
    write_skeleton(folder / "a" / "S002C001P001R001A051.skeleton", {}, 5)
    return folder


WIDTH, HEIGHT = 640, 480


def ava_row(video: str, second: int, joints: np.ndarray, action: int, person: int) -> str:
    """A row of the ground truth for a (17, 3) skeleton: a box a little larger than its joints."""
    seen = joints[joints[:, 2] > 0, :2]
    (x1, y1), (x2, y2) = seen.min(axis=0) - 6, seen.max(axis=0) + 6
    box = (x1 / WIDTH, y1 / HEIGHT, x2 / WIDTH, y2 / HEIGHT)
    return f"{video},{second:04d}," + ",".join(f"{v:.3f}" for v in box) + f",{action},{person}"


def write_ava(folder: Path) -> Path:
    """20 s at 10 frames/s from second 895 on; two people, whose rank changes in every frame."""
    joints = people([150, 450], 200)
    order = [(0, 1) if t % 2 else (1, 0) for t in range(200)]
    entry = {
        "keypoint": np.concatenate([joints[list(o), t] for t, o in enumerate(order)]),
        "frame_inds": np.repeat(np.arange(200), 2),
        "img_shape": np.array([HEIGHT, WIDTH]),
        "fps": np.array(10.0),
        "start": np.array(895.0),
    }
    (folder / "skeletons").mkdir(parents=True)
    np.savez(folder / "skeletons" / "film1.npz", **entry)
    left, right = joints[:, 0]
    far = people([1000], 1)[0, 0]
    rows = [
        ava_row("film1", 902, left, 12, 0),
        ava_row("film1", 902, left, 79, 0),
        ava_row("film1", 902, right, 11, 1),
        ava_row("film1", 903, left, 12, 0),
        ava_row("film1", 904, left, 12, 0),
        ava_row("film1", 905, far, 12, 0),
        ava_row("film2", 902, left, 12, 0),
    ]
    (folder / "ava_train_v2.2.csv").write_text("\n".join(rows) + "\n")
    (folder / "ava_val_v2.2.csv").write_text(ava_row("film1", 908, right, 11, 7) + "\n")
    (folder / "excluded.csv").write_text("film1,0903\n")
    (folder / "actions.pbtxt").write_text(
        "".join(
            f'item {{\n  name: "{name}"\n  id: {id}\n}}\n'
            for id, name in ((11, "sit"), (12, "stand"), (79, "talk to (e.g., self)"))
        )
    )
    return folder


def write_volleyball(folder: Path, third: np.ndarray | None = None) -> Path:
    """Video 4 (test, 1280x720) with a clip of two players, one of them repeated to fill up, and
    video 2 (validation, 1920x1080) in the other order of words."""
    joints = people([400, 900, 400], 5)
    if third is not None:
        joints[..., 2] = third
    for video in (4, 2):
        path = folder / "joints" / str(video) / "100.pickle"
        path.parent.mkdir(parents=True)
        path.write_bytes(pickle.dumps({98 + t: joints[:, t] for t in range(5)}))
    (folder / "videos" / "4").mkdir(parents=True)
    (folder / "videos" / "2").mkdir(parents=True)
    annotations = (
        "100.jpg l-spike 860 130 70 220 blocking 360 130 70 220 spiking \n"
        "200.jpg r_winpoint 360 130 70 220 standing\n\n"
    )
    (folder / "videos" / "4" / "annotations.txt").write_text(annotations)
    (folder / "videos" / "2" / "annotations.txt").write_text(
        "100.jpg r_set setting 360 130 70 220 moving 860 130 70 220\n"
    )
    tracks = {}
    for video, (width, height) in ((4, (1280, 720)), (2, (1920, 1080))):
        boxes = np.array([[130, 360, 350, 430], [130, 860, 350, 930], [130, 360, 350, 430]])
        shares = boxes / np.array([height, width, height, width])
        tracks[(video, 100)] = {98 + t: shares for t in range(5)}
    (folder / "tracks_normalized.pkl").write_bytes(pickle.dumps(tracks))
    return folder
