"""Whether bfloat16 says the same as float32: held-out clips through the live recogniser, twice.

    SKELETR_DATA=... python -m benchmarks.precision [--split test] [--json FILE]

Counted are clips, by the label that a clip is given, and short sequences, by what is shown for
each of them, "unknown" included. Where the processor has no bfloat16 it is imitated, slowly.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from benchmarks.machine import machine, told, write_json
from skeletr.checkpoint import DEFAULT_CHECKPOINT, Checkpoint
from skeletr.datasets.archives import data_root
from skeletr.datasets.load import load_clips
from skeletr.datasets.noise import NoiseConfig
from skeletr.evaluation.live import people_scores, recognise
from skeletr.evaluation.protocol import clip_recording
from skeletr.recognizer import Recognizer, RecognizerConfig

_SETS = ("sbu", "kinder_gator", "jhmdb", "penn_action", "kard", "utkinect", "msr_action3d")


def main() -> int:
    """Print the shares that agree."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--split", choices=("test", "val"), default="test")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint = Checkpoint.from_pretrained(args.checkpoint)
    recognizers = [
        Recognizer(checkpoint, RecognizerConfig(attention_kept=0, precision=precision))
        for precision in ("fp32", "bf16")
    ]
    clips = [c for c in load_clips(data_root(args.data), _SETS) if c.label]
    clips = [c for c in clips if c.split == args.split]
    same_clip, same_shown, right, apart = [], [], [], 0.0
    for clip in clips:
        recording = clip_recording(clip, NoiseConfig())
        logs = [recognise(recording, recognizer) for recognizer in recognizers]
        scores = [people_scores(log) for log in logs]
        labels = [checkpoint.labels[int(s.argmax())] for s in scores]
        same_clip.append(labels[0] == labels[1])
        right.append([label == clip.label for label in labels])
        apart = max(apart, float(np.abs(scores[0] - scores[1]).max()))
        shown = [[p.text for t in log.people.values() for p in t.predictions] for log in logs]
        same_shown += [a == b for a, b in zip(*shown, strict=True)]
    facts = machine()
    found = {
        "clips": len(clips),
        "clips with the same label": float(np.mean(same_clip)),
        "short sequences": len(same_shown),
        "short sequences that show the same": float(np.mean(same_shown)),
        "right in fp32": float(np.mean(right, axis=0)[0]),
        "right in bf16": float(np.mean(right, axis=0)[1]),
        "largest difference of a probability": apart,
    }
    print(told(facts))
    for name, value in found.items():
        print(f"{name:40s} {value if isinstance(value, int) else round(value, 4)}")
    if args.json:
        write_json(args.json, facts, found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
