"""The paper's data sets in miniature, in their true formats, and the stores made of them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np

from skeletr.cli import main

from .public_files import kinect_body, people, write_ava, write_skeleton

_FRAMES = 40


def make_stores(folder: Path) -> Path:
    """All stores that configs/paper names, below FOLDER/stores."""
    stores = folder / "stores"
    kinetics, ntu = write_kinetics(folder / "kinetics"), write_ntu_inter(folder / "ntu")
    ava, volleyball = write_ava(folder / "ava"), write_volleyball(folder / "volleyball")
    k400 = ["pyskl", str(kinetics), "--train", "train", "--val", "val"]
    _prepare(stores / "k400", *k400)
    _prepare(stores / "posetics", *k400, "--class-map", str(kinetics.parent / "map.json"))
    for classes, protocol in ((60, "xsub"), (60, "xview"), (120, "xsub"), (120, "xset")):
        command = ["ntu", str(ntu), "--mutual-only", "--classes", str(classes)]
        command += ["--protocol", protocol, "--val-share", "0.4"]
        _prepare(stores / f"ntu{classes}_{protocol}", *command)
    tables = ["--train", str(ava / "ava_train_v2.2.csv"), "--val", str(ava / "ava_val_v2.2.csv")]
    for seconds in (5, 10):
        command = ["ava", str(ava / "skeletons"), *tables, "--seconds", str(seconds)]
        _prepare(stores / f"ava_{seconds}s", *command)
    _prepare(stores / "volleyball", "volleyball", str(volleyball))
    return stores


def _prepare(out: Path, *command: str) -> None:
    assert main(["prepare", *command, "--out", str(out)]) == 0


def write_kinetics(folder: Path) -> Path:
    """Twelve clips of two people in the compact form: three classes, of which a map leaves two."""
    (folder / "kpfiles").mkdir(parents=True)
    clips, stored, split = [], {}, {"train": [], "val": []}
    for number in range(12):
        name, label = f"clip/{number}", number % 3
        joints = people([150.0 + 10 * number, 400.0], _FRAMES)
        joints[..., 0] += 3.0 * label * np.arange(_FRAMES)[:, None]
        stored[name] = {"keypoint": joints.swapaxes(0, 1).reshape(-1, 17, 3).astype(np.float16)}
        split["val" if number > 8 else "train"].append(name)
        clips.append(
            {
                "frame_dir": name,
                "label": label,
                "img_shape": (480, 640),
                "total_frames": _FRAMES,
                "frame_inds": np.repeat(np.arange(_FRAMES), 2).astype(np.int16),
                "box_score": np.full(2 * _FRAMES, 0.9, np.float16),
                "raw_file": "/data/k400/part.pkl",
                "valid": {0.5: _FRAMES},
            }
        )
    (folder / "kpfiles" / "part.pkl").write_bytes(pickle.dumps(stored))
    (folder / "map.json").write_text(json.dumps({"0": "stand", "1": "walk", "2": None}))
    path = folder / "k400_hrnet.pkl"
    path.write_bytes(pickle.dumps({"split": split, "annotations": clips}))
    return path


def write_ntu_inter(folder: Path) -> Path:
    """Mutual actions of five performers, of whom one tests, by two cameras in two setups."""
    frames = 20
    for person in (1, 2, 4, 5, 3):
        for action in (50, 55, 112):
            for place in (1, 2):
                name = f"S{place:03d}C{place:03d}P{person:03d}R001A{action:03d}.skeleton"
                near = 0.5 - 0.1 * (action == 55)
                bodies = {
                    "72057594037931101": (0, kinect_body(-near, frames)),
                    "72057594037931102": (0, kinect_body(near, frames, swing=0.1)),
                }
                write_skeleton(folder / name, bodies, frames)
    return folder


def write_volleyball(folder: Path) -> Path:
    """A clip of each of two training videos and of a validation and a test video."""
    frames = 12
    joints = people([400.0, 900.0], frames)
    for video, activity in ((1, "l-spike"), (3, "r_set"), (0, "l_spike"), (4, "r_set")):
        path = folder / "joints" / str(video) / "100.pickle"
        path.parent.mkdir(parents=True)
        path.write_bytes(pickle.dumps({95 + t: joints[:, t] for t in range(frames)}))
        table = folder / "videos" / str(video) / "annotations.txt"
        table.parent.mkdir(parents=True)
        actions = ("spiking", "blocking") if activity == "l-spike" else ("setting", "standing")
        players = zip((360, 860), actions, strict=True)
        rows = " ".join(f"{x} 130 70 220 {action}" for x, action in players)
        table.write_text(f"100.jpg {activity} {rows}\n")
    return folder
