"""Everybody's actions, second by second, in untrimmed video, as AVA asks for them.

Paper, section 5: windows one second apart; a person's predictions from all windows that hold them
are averaged. Two streams are averaged person by person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from skeletr.batch import collate
from skeletr.checkpoint import Checkpoint
from skeletr.coordinates import model_input
from skeletr.datasets.ava_files import AvaError, FrameKey
from skeletr.evaluation.protocol import consecutive
from skeletr.evaluation.sliding import PersonSecond, Predict, slide
from skeletr.recording import Recording

Skeletons = Callable[[str, float], Recording | None]


@dataclass(frozen=True)
class DetectConfig:
    """seconds: length of a window. step: seconds between windows."""

    seconds: float = 5.0
    step: float = 1.0

    def __post_init__(self) -> None:
        if not self.seconds > 0 or not self.step > 0:
            raise ValueError(
                f"windows of {self.seconds} s, {self.step} s apart; expected both above 0"
            )


def predictor(parts: Sequence[tuple[Checkpoint, float]]) -> Predict:
    """What several checkpoints say together of everybody in a window, as probabilities.

    Args:
        parts: checkpoints with their weights, such as the joint and the bone stream; labels come
            in the order of the first.

    Raises:
        ValueError: there is none, a weight is not above 0, a checkpoint says nothing about single
            people, or they have other labels than the first.
    """
    if not parts:
        raise ValueError("no checkpoint to ask, expected at least one")
    labels = parts[0][0].labels
    for number, (checkpoint, weight) in enumerate(parts, start=1):
        if not weight > 0:
            raise ValueError(f"checkpoint {number}: weight is {weight}, expected above 0")
        if not checkpoint.model.config.instance_classes:
            raise ValueError(f"checkpoint {number} labels whole videos, expected one of people")
        if set(checkpoint.labels) != set(labels):
            other = sorted(set(checkpoint.labels) ^ set(labels))
            raise ValueError(f"checkpoint {number} has other labels than the first: {other[:3]}")
    orders = [[checkpoint.labels.index(name) for name in labels] for checkpoint, _ in parts]
    total = sum(weight for _, weight in parts)

    def predict(window: Recording) -> Mapping[int, np.ndarray]:
        sums: dict[int, np.ndarray] = {}
        for (checkpoint, weight), order in zip(parts, orders, strict=True):
            for person, scores in _of_people(checkpoint, window).items():
                sums[person] = sums.get(person, 0.0) + weight / total * scores[order]
        return sums

    return predict


@torch.inference_mode()
def _of_people(checkpoint: Checkpoint, window: Recording) -> dict[int, np.ndarray]:
    """Person -> (K,) probabilities, the mean over their short sequences."""
    config = checkpoint.sequences
    found = consecutive(window, config)
    if not found:
        return {}
    inputs = [model_input(part, float(part.times.max()), config) for part in found]
    device = next(checkpoint.model.parameters()).device
    logits = checkpoint.model(collate(inputs, config.frames).to(device)).instance.float()
    logits = logits / checkpoint.calibration.temperature
    several = (checkpoint.task or {}).get("kind") == "multilabel"
    scores = (logits.sigmoid() if several else logits.softmax(dim=-1)).double().cpu().numpy()
    people = np.concatenate([part.person for part in found])
    rows = np.concatenate([row[: len(p)] for row, p in zip(scores, found, strict=True)])
    return {int(p): rows[people == p].mean(axis=0) for p in np.unique(people)}


def detect(
    skeletons: Skeletons,
    frames: Iterable[FrameKey],
    predict: Predict,
    config: DetectConfig = DetectConfig(),
) -> Iterator[tuple[str, list[PersonSecond]]]:
    """Video by video what everybody does at the seconds that are asked for.

    Args:
        skeletons: a video and a second -> the recording that holds it, on AVA's clock; None where
            there are no skeletons. See `skeletr.datasets.ava_skeletons.SkeletonFiles`.
        frames: (video, second) to be answered; whole seconds.

    Raises:
        AvaError: a frame is not at a whole second.
    """
    wanted: dict[str, list[int]] = {}
    for video, second in frames:
        if second != round(second):
            raise AvaError(f"{video} at {second:g} s: expected whole seconds")
        wanted.setdefault(video, []).append(round(second))
    for video, seconds in wanted.items():
        found: list[PersonSecond] = []
        for recording, asked in _stretches(skeletons, video, sorted(set(seconds))):
            found += _at(recording, asked, predict, config)
        yield video, found


def _stretches(
    skeletons: Skeletons, video: str, seconds: Sequence[int]
) -> Iterator[tuple[Recording, list[int]]]:
    """Recordings with the seconds asked of each: one may hold the whole video, or only what is
    around one second."""
    current: Recording | None = None
    asked: list[int] = []
    for second in seconds:
        recording = skeletons(video, second)
        if recording is not current:
            if current is not None:
                yield current, asked
            current, asked = recording, []
        asked.append(second)
    if current is not None:
        yield current, asked


def _at(
    recording: Recording, asked: Sequence[int], predict: Predict, config: DetectConfig
) -> list[PersonSecond]:
    reach = config.seconds  # every window that holds an asked second, whole
    near = recording.between(asked[0] - reach, asked[-1] + reach)
    found = slide(near, predict, config.seconds, config.step)
    return [one for one in found if one.second in set(asked)]


def action_ids(labels: Sequence[str], names: Mapping[int, str]) -> list[int]:
    """AVA's number of each label, which `prepare` took from a list of actions, or numbered.

    Raises:
        AvaError: a label is neither in the list nor "action 12".
    """
    known = {name: id for id, name in names.items()}
    known |= {f"action {id}": id for id in range(1, 81)}
    missing = [label for label in labels if label not in known]
    if missing:
        raise AvaError(
            f"{len(missing)} labels of the checkpoint have no number, {missing[0]!r} first; give "
            "the list of actions that the store was made with (--labels)"
        )
    return [known[label] for label in labels]
