"""Frame mAP of AVA predictions, as the official evaluator of AVA computes it.

Evaluated are the 60 classes of AVA v2.2, or those that --labels lists. Several files of predictions
are fused first; PRED.csv:WEIGHT gives one a weight: rgb.csv:2 skeleton.csv is 2 to 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence

from skeletr.evaluation import ava
from skeletr.evaluation.ava_fusion import fuse_boxes
from skeletr.evaluation.fusion_command import parse
from skeletr.files import atomic_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the AVA evaluation."""
    parser.add_argument("--ground-truth", required=True, metavar="GT.csv")
    parser.add_argument(
        "--predictions", required=True, nargs="+", metavar="PRED.csv[:WEIGHT]", help="csv files"
    )
    parser.add_argument("--excluded", metavar="EX.csv", help="frames to leave out")
    parser.add_argument("--labels", metavar="FILE", help="the classes to evaluate, .pbtxt or csv")
    parser.add_argument(
        "--per-frame",
        type=int,
        default=ava.PER_FRAME,
        metavar="N",
        help="keep the best N detections of a frame, over all classes; 0 for all "
        f"(default: {ava.PER_FRAME}, as the official evaluator)",
    )
    parser.add_argument("--json", metavar="FILE", help="write the results as JSON, - for stdout")


def run(args: argparse.Namespace) -> int:
    """Print a table, or JSON; 1 where a file is missing or broken."""
    try:
        labels = ava.read_labels(args.labels) if args.labels else {}
        result = ava.evaluate(
            ava.read_ground_truth(args.ground_truth),
            _predictions(args.predictions),
            ava.read_excluded(args.excluded) if args.excluded else frozenset(),
            labels or ava.EVALUATED_CLASSES,
            args.per_frame or None,
        )
    except ValueError as error:  # AvaError among them
        print(f"ava: {error}", file=sys.stderr)
        return 1
    if result.ignored:
        print(
            f"ava: {result.ignored} detections ignored: {args.ground_truth} does not list their "
            "frames",
            file=sys.stderr,
        )
    text = json.dumps(as_dict(result, labels), indent=2)
    if args.json == "-":
        print(text)
        return 0
    print(table(result))
    if args.json:
        with atomic_path(args.json) as partial:
            partial.write_text(text + "\n", encoding="utf-8")
    return 0


def _predictions(arguments: Sequence[str]) -> ava.AvaBoxes:
    parts = [(ava.read_predictions(path), weight) for path, weight in map(parse, arguments)]
    return parts[0][0] if len(parts) == 1 else fuse_boxes(parts)


def as_dict(result: ava.AvaResult, labels: Mapping[int, str]) -> dict[str, object]:
    """For JSON; average precisions in [0, 1], None for what has no ground truth."""
    return {
        "map": result.mean_average_precision,
        "groups": result.groups(),
        "frames": result.frames,
        "ignored": result.ignored,
        "cut": result.cut,
        "classes": [
            {
                "id": id,
                "name": labels.get(id, ""),
                "boxes": boxes,
                "ap": result.average_precisions.get(id),
            }
            for id, boxes in result.positives.items()
        ],
    }


def table(result: ava.AvaResult) -> str:
    """mAP, and of each group, as a table for people, in percent."""
    lines = [f"{'':20s} {'mAP':>6s} {'classes':>8s} {'boxes':>8s}"]
    rows = [
        ("all", result.mean_average_precision, range(sys.maxsize)),
        *((name, mean, ava.GROUPS[name]) for name, mean in result.groups().items()),
    ]
    for name, mean, ids in rows:
        inside = [id for id in result.average_precisions if id in ids]
        boxes = sum(result.positives[id] for id in inside)
        shown = "-" if mean is None else f"{100 * mean:.2f}"
        lines.append(f"{name:20s} {shown:>6s} {len(inside):8d} {boxes:8d}")
    lines.append(f"{result.frames} frames; {result.cut} detections beyond the limit per frame")
    if result.without_ground_truth:
        left_out = ", ".join(str(id) for id in result.without_ground_truth)
        lines.append(f"left out, without ground truth: {left_out}")
    return "\n".join(lines)
