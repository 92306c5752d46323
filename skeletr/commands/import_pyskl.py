"""Make a checkpoint of PYSKL's published weights: a GCN alone over two long sequences.

FILE is a .pth file as published, of ST-GCN++ or CTR-GCN on 2D skeletons (COCO-17, joint stream),
or the same as .safetensors. The checkpoint can be evaluated and fused on a store of `prepare
pyskl`; the live recogniser, which needs short sequences, refuses it. PYSKL's figures are means
over 10 clips per video; here it is one, and CTR-GCN has the input norm of the first person for
both.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from skeletr.checkpoint import Checkpoint
from skeletr.evaluation.task import TaskInfo
from skeletr.model import SkeleTR, SkeleTRConfig
from skeletr.model.pyskl_names import HEAD
from skeletr.model.pyskl_weights import PUBLISHED, WeightsError, load_backbone, read_weights
from skeletr.sequences import SequenceConfig
from skeletr.skeleton import V

_MOST_SECONDS = 600.0  # a window that holds any clip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `import-pyskl`."""
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--model", choices=list(PUBLISHED), required=True)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--labels", type=Path, help="names of the classes, one per line")
    parser.add_argument("--store", type=Path, help="what `evaluate` is to take")
    parser.add_argument("--frames", type=int, default=100, help="T it was trained with")


def run(args: argparse.Namespace) -> int:
    """Write the checkpoint; 1 where the file does not fit."""
    try:
        checkpoint = _checkpoint(args)
        checkpoint.save_pretrained(args.out)
    except (OSError, ValueError) as error:
        print(f"import-pyskl: {error}", file=sys.stderr)
        return 1
    print(f"{args.out}: {len(checkpoint.labels)} classes")
    return 0


def _checkpoint(args: argparse.Namespace) -> Checkpoint:
    state = read_weights(args.file)
    if f"{HEAD}.weight" not in state:
        raise WeightsError(f"{args.file.name} has no classifier {HEAD}")
    classes = len(state[f"{HEAD}.weight"])
    config = SkeleTRConfig(PUBLISHED[args.model], interaction="none", aggregation=("1x1",))
    config = replace(config, instance_classes=classes, scene_classes=classes)
    model = SkeleTR(config).eval()
    load_backbone(model.backbone, config.backbone, state)
    for head in (model.instance_head, model.scene_head):
        head.load_state_dict({leaf: state[f"{HEAD}.{leaf}"] for leaf in ("weight", "bias")})
    labels = tuple(f"class {i}" for i in range(classes))
    if args.labels:
        labels = tuple(args.labels.read_text(encoding="utf-8").splitlines())
    sequences = SequenceConfig(
        frames=args.frames,
        window=_MOST_SECONDS,
        joints=tuple(range(V)),
        normalise="image",
        max_sequences=2,
        linking="rank",
    )
    task = TaskInfo(args.model, "store", "video", str(args.store)).as_dict() if args.store else None
    return Checkpoint(model, labels, sequences, task=task)
