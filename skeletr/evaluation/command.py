"""python -m skeletr evaluate: held-out accuracy of a checkpoint."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from skeletr.checkpoint import DEFAULT_CHECKPOINT, Checkpoint, CheckpointError
from skeletr.datasets import DATASETS, DatasetError, load_clips
from skeletr.datasets.archives import DATA_VARIABLE, data_root
from skeletr.datasets.load import EXPERIMENTS_ONLY
from skeletr.datasets.noise import NoiseConfig
from skeletr.datasets.vocabulary import labels_of
from skeletr.devices import DEVICES, DeviceError, pick_device
from skeletr.evaluation.live import evaluate_live
from skeletr.evaluation.pictures import Judged, draw
from skeletr.evaluation.report import Result, table
from skeletr.evaluation.task import TaskInfo, evaluate_task, task_table
from skeletr.files import atomic_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `evaluate`."""
    parser.add_argument(
        "checkpoints",
        nargs="*",
        default=[DEFAULT_CHECKPOINT],
        metavar="CHECKPOINT",
        help="folder (default: the shipped); of several, such as one a fold, also the mean",
    )
    parser.add_argument("--data", help=f"folder with the data sets (default: ${DATA_VARIABLE})")
    parser.add_argument(
        "--datasets",
        nargs="+",
        choices=list(DATASETS),
        help="default: all whose labels the checkpoint knows",
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to compute")
    parser.add_argument("--split", choices=("test", "val"), default="test", help="default: test")
    parser.add_argument("--json", metavar="FILE", help="write the results as JSON, - for stdout")
    parser.add_argument(
        "--scores", metavar="FILE", help="of its own task: also write probabilities per sample"
    )
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="FOLDER",
        help="also draw what is taken for what, and how right each label is",
    )


def run(args: argparse.Namespace) -> int:
    """Print a table, or JSON; 1 where something is missing or broken."""
    if len(args.checkpoints) > 1 and (args.scores or args.pictures):
        print("evaluate: --scores and --pictures are of one checkpoint", file=sys.stderr)
        return 1
    try:
        shown, values = _measure_all(args)
    except (CheckpointError, DatasetError, DeviceError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # of what is written; what is read says more
        print(f"evaluate: the results cannot be written: {error}", file=sys.stderr)
        return 1
    text = json.dumps(values, indent=2)
    if args.json == "-":
        print(text)
        return 0
    print(shown)
    if args.json:
        with atomic_path(args.json) as partial:
            partial.write_text(text + "\n", encoding="utf-8")
    return 0


def _measure_all(args: argparse.Namespace) -> tuple[str, list[dict]]:
    """As `_measure`, one checkpoint after the other, and where there are several, the mean of those
    that were measured on a task of their own."""
    device = pick_device(args.device)
    shown, values, tasks = [], [], []
    for name in args.checkpoints:
        checkpoint = Checkpoint.from_pretrained(name, device)
        text, found = _measure(checkpoint, args)
        several = len(args.checkpoints) > 1
        shown.append(f"{name}\n{text}\n" if several else text)
        values += found
        tasks += [result for result in found if "kind" in result]
    if len(tasks) > 1:
        mean = mean_of(tasks)
        shown.append(f"mean of {len(tasks)} (and standard deviation)\n{task_table(mean)}")
        values.append(mean)
    return "\n".join(shown), values


def mean_of(results: Sequence[dict]) -> dict:
    """Of the accuracies of several folds or seeds, with "..._spread" for the standard deviation.

    Raises:
        DatasetError: they are of different kinds of task.
    """
    kinds = {result["kind"] for result in results}
    if len(kinds) > 1:
        raise DatasetError(f"no mean of tasks of the kinds {sorted(kinds)}; expected one kind")
    mean: dict = {"checkpoints": len(results), "kind": results[0]["kind"]}
    for name in (k for k, v in results[0].items() if isinstance(v, float)):
        figures = np.array([result[name] for result in results])
        mean[name] = float(figures.mean())
        mean[f"{name}_spread"] = float(figures.std(ddof=1))
    return mean


def _measure(checkpoint: Checkpoint, args: argparse.Namespace) -> tuple[str, list[dict]]:
    """A table and plain values: of the checkpoint's own task where it has one, else of the data
    sets whose labels it knows."""
    info = TaskInfo.of(checkpoint)
    judged = partial(draw, args.pictures) if args.pictures else lambda *_: None
    if info is not None and info.source != "composed" and not args.datasets:
        result = evaluate_task(checkpoint, args.data, args.split, args.scores, judged)
        return task_table(result), [result]
    results = evaluate(checkpoint, data_root(args.data), args.datasets, args.split, judged)
    return table(results), [r.as_dict() for r in results]


def evaluate(
    checkpoint: Checkpoint,
    data: Path,
    datasets: list[str] | None = None,
    split: str = "test",
    judged: Judged = lambda *_: None,
) -> list[Result]:
    """Results on held-out clips through the live recogniser, clean first, then with pose noise.

    Raises:
        DatasetError: data are missing or broken, or there is nothing to evaluate.
    """
    known = set(checkpoint.labels)
    names = datasets or [
        name for name in DATASETS if name not in EXPERIMENTS_ONLY and set(labels_of(name)) <= known
    ]
    clips = [c for c in load_clips(data, names) if c.split == split]
    if not clips:
        raise DatasetError(f"no {split} clips in {names} below {data}")
    absent = sorted({str(c.label) for c in clips} - known)
    if absent:
        raise DatasetError(f"the model does not know {absent}; it has {len(known)} labels")
    return [
        result
        for noise in (None, NoiseConfig())
        for result in evaluate_live(checkpoint, clips, noise, judged)
    ]
