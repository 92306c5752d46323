"""Held-out clips one after the other, as a camera sees them: nobody cuts a film to its action.

    SKELETR_DATA=... python -m benchmarks.unbroken [--checkpoint FOLDER] [--split val] [--json FILE]

Two people come up to each other, do something and part: what is the video called, and what is each
of the two? One person does three things: what is said in the middle of each, and what where the
same clip stands alone? Clips of one pair or person are joined where they stand, seen by random
cameras and with the errors of a pose model; everything goes through the live recogniser.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.machine import machine, told
from skeletr.actions import ActionLog
from skeletr.checkpoint import DEFAULT_CHECKPOINT, Checkpoint
from skeletr.datasets.actors import HEIGHT_IN_TORSOS
from skeletr.datasets.archives import data_root
from skeletr.datasets.camera import Camera, head_to_nose, project
from skeletr.datasets.chains import join
from skeletr.datasets.clip import Clip
from skeletr.datasets.load import load_clips
from skeletr.datasets.motion import Span, Take, take_of, torso_length
from skeletr.datasets.noise import NoiseConfig, estimate
from skeletr.datasets.timeline import sample
from skeletr.datasets.vocabulary import COME, GO, PASSING
from skeletr.evaluation.live import recognise
from skeletr.evaluation.protocol import IMAGE_SIZE, NOSE, fit
from skeletr.recognizer import Recognizer, RecognizerConfig
from skeletr.recording import Recording

_PEOPLE = ("kinder_gator", "kard", "utkinect", "florence3d")  # three dimensions, several actions
_RATE = 15.0  # frames per second
_MIDDLE = 0.4  # seconds around the middle half of an action that still count as its middle


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--split", choices=("test", "val"), default="test")
    parser.add_argument("--cameras", type=int, default=6, help="per clip of two people")
    parser.add_argument("--people", type=int, default=150, help="films of one person")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint = Checkpoint.from_pretrained(args.checkpoint)
    clips = [c for c in load_clips(data_root(args.data), ("sbu", *_PEOPLE)) if c.label]
    clips = [c for c in clips if c.split == args.split]
    recognizer = Recognizer(checkpoint, RecognizerConfig(attention_kept=0))
    found = {"machine": machine(), "split": args.split}
    found["pairs"] = pairs([c for c in clips if c.dataset == "sbu"], recognizer, args.cameras)
    found["people"] = people([c for c in clips if c.dataset in _PEOPLE], recognizer, args.people)
    print(told(found["machine"]))
    for name, share in {**found["pairs"], **found["people"]}.items():
        print(f"{name:36s} {100 * share:5.1f} %")
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def pairs(clips: Sequence[Clip], recognizer: Recognizer, cameras: int) -> dict[str, float]:
    """Shares of right labels, of videos and of people; and of who only comes or goes."""
    by: dict[tuple[str, str], list[Clip]] = defaultdict(list)
    for clip in clips:
        by[clip.group, str(clip.label)].append(clip)
    videos: dict[str, list[bool]] = defaultdict(list)
    both: list[bool] = []
    for clip in clips:
        for camera in range(cameras):
            rng = np.random.default_rng([zlib.crc32(clip.name.encode()), camera])
            alone = clip.label in PASSING
            parts = [clip] if alone else _around(clip, by, rng)
            log, _ = _film([take_of(c) for c in parts], recognizer, rng)
            videos[str(clip.label)].append(log.overall()[0][0] == clip.label)
            if not alone:
                both += [log.summary(t)[0][0] == clip.label for t in log.people.values()]
    acts = [right for label, found in videos.items() if label not in PASSING for right in found]
    passes = [right for label in PASSING for right in videos[label]]
    return {
        "two people: the video": float(np.mean(acts)),
        "two people: each of them": float(np.mean(both)),
        "two people who only come or go": float(np.mean(passes)),
        **{f"  {label}": float(np.mean(found)) for label, found in sorted(videos.items())},
    }


def _around(clip: Clip, by: dict, rng: np.random.Generator) -> list[Clip]:
    """The same two people come, do what the clip shows, and go."""
    come, go = (by[clip.group, label] for label in (COME, GO))
    return [come[rng.integers(len(come))], clip, go[rng.integers(len(go))]]


def people(clips: Sequence[Clip], recognizer: Recognizer, films: int) -> dict[str, float]:
    """Shares of right labels in the middle of each of three actions, and of each alone."""
    by: dict[tuple[str, str], list[Clip]] = defaultdict(list)
    for clip in clips:
        by[clip.dataset, clip.group].append(clip)
    groups = [found for _, found in sorted(by.items())]
    within, alone = [], []
    for number in range(films):
        rng = np.random.default_rng(number)
        found = groups[number % len(groups)]
        takes = [take_of(found[i]) for i in rng.choice(len(found), 3, replace=False)]
        within += _right(takes, recognizer, number)
        alone += [right for take in takes for right in _right([take], recognizer, number)]
    return {
        "one person, three actions": float(np.mean(within)),
        "one person, each action alone": float(np.mean(alone)),
    }


def _right(takes: list[Take], recognizer: Recognizer, seed: int) -> list[bool]:
    log, spans = _film(takes, recognizer, np.random.default_rng([seed, 1]))
    return [_said(log, span) == span.label for span in spans]


def _said(log: ActionLog, span: Span) -> str:
    """What is said of the one person in the middle of an action."""
    quarter = (span.end - span.start) / 4
    scores = [
        p.scores
        for track in log.people.values()
        for time, p in zip(track.times, track.predictions, strict=True)
        if p.label and span.start + quarter - _MIDDLE <= time <= span.end - quarter + _MIDDLE
    ]
    return log.labels[int(np.mean(scores, axis=0).argmax())] if scores else ""


def _film(
    takes: list[Take], recognizer: Recognizer, rng: np.random.Generator
) -> tuple[ActionLog, list[Span]]:
    """What is recognised of takes, one after the other, and when each of them is."""
    clip, spans = join([_cut(take) for take in takes], rng)
    times = np.arange(0.0, clip.duration, 1 / _RATE)
    points, seen = sample(clip, times)
    height = HEIGHT_IN_TORSOS * torso_length(clip)
    points = head_to_nose(points, NOSE[0] * height, NOSE[1] * height)
    pixels = fit(project(points, Camera.random(rng, all_round=False)), seen)
    bodies = [
        estimate(xy, there, times, NoiseConfig(), rng)
        for xy, there in zip(pixels, seen, strict=True)
    ]
    recording = Recording.from_arrays(np.stack(bodies), times, IMAGE_SIZE)
    return recognise(recording, recognizer), spans


def _cut(take: Take) -> Take:
    """Its action alone."""
    clip, span = take.clip, take.action
    times = np.arange(span.start, span.end, 1 / _RATE)
    points, seen = sample(clip, times)
    whole = Span(span.label, 0.0, float(times[-1] - times[0]))
    cut = Clip(points, seen, times - times[0], clip.label, clip.dataset, clip.name, clip.group)
    return Take(cut, whole)


if __name__ == "__main__":
    raise SystemExit(main())
