"""What everybody does at every second of AVA's videos, as the csv that `ava` measures.

CHECKPOINT:WEIGHT gives a checkpoint a weight, 1 if left out: joint and bone are two streams. The
boxes are those around the joints.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from skeletr.checkpoint import Checkpoint, CheckpointError
from skeletr.datasets.ava_files import AvaError, read_excluded, read_ground_truth, read_labels
from skeletr.datasets.ava_skeletons import SkeletonFiles
from skeletr.datasets.clip import DatasetError
from skeletr.devices import DEVICES, DeviceError, pick_device
from skeletr.evaluation.ava import write_predictions
from skeletr.evaluation.detections import DetectConfig, action_ids, detect, predictor
from skeletr.evaluation.fusion_command import parse
from skeletr.evaluation.sliding import PersonSecond

Found = tuple[str, list[PersonSecond]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the detection."""
    parser.add_argument("checkpoints", nargs="+", metavar="CHECKPOINT[:WEIGHT]", help="folders")
    parser.add_argument(
        "--skeletons", required=True, type=Path, help="folder or pickle, as `prepare ava` takes it"
    )
    parser.add_argument(
        "--frames", required=True, metavar="GT.csv", help="whose frames are to be answered"
    )
    parser.add_argument("--excluded", metavar="EX.csv", help="frames to leave out")
    parser.add_argument("--labels", metavar="FILE", help="list of the actions, .pbtxt or csv")
    parser.add_argument("--out", required=True, metavar="PRED.csv", help="what to write")
    parser.add_argument("--seconds", type=float, default=5.0, help="of a window (default: 5)")
    parser.add_argument("--step", type=float, default=1.0, help="between windows (default: 1)")
    parser.add_argument("--fps", type=float, default=30.0, help="where files do not say")
    parser.add_argument("--start", type=float, default=0.0, help="AVA's time of their frame 0")
    parser.add_argument(
        "--min-score", type=float, default=0.0, help="leave lower ones out (default: 0)"
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to compute")


def run(args: argparse.Namespace) -> int:
    """Write the predictions; 1 where something is missing, broken, or does not fit."""
    try:
        device = pick_device(args.device)
        parts = [
            (Checkpoint.from_pretrained(path, device), weight)
            for path, weight in map(parse, args.checkpoints)
        ]
        actions = action_ids(parts[0][0].labels, read_labels(args.labels) if args.labels else {})
        left_out = read_excluded(args.excluded) if args.excluded else frozenset()
        frames = [f for f in read_ground_truth(args.frames).frames if f not in left_out]
        found = detect(
            SkeletonFiles(args.skeletons, args.fps, args.start),
            frames,
            predictor(parts),
            DetectConfig(args.seconds, args.step),
        )
        count = _Count()
        write_predictions(args.out, count.told(found), actions, args.min_score)
    except (AvaError, CheckpointError, DatasetError, DeviceError, ValueError, OSError) as error:
        print(f"ava-detect: {error}", file=sys.stderr)
        return 1
    print(
        f"{count.people} people in {count.frames} of {len(set(frames))} frames; "
        f"predictions in {args.out}"
    )
    return 0


class _Count:
    """How much was found, told while it goes by."""

    def __init__(self) -> None:
        self.people = self.frames = 0

    def told(self, videos: Iterable[Found]) -> Iterator[Found]:
        for video, found in videos:
            frames = len({one.second for one in found})
            self.people, self.frames = self.people + len(found), self.frames + frames
            print(f"{video}: {len(found)} people in {frames} frames", file=sys.stderr, flush=True)
            yield video, found
