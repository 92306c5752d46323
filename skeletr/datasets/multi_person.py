"""The multi-person benchmark: real clips composed into scenes in which company decides the label.

Every clip of two people (SBU) is seen twice in scenes of 2 to 6 people: together, as recorded,
where both do the interaction; and apart, where each of two halves of pairs has nobody to do it
with, and is "alone": a kick at somebody, and the same kick in the air beside a bystander. What
one person does is the same in both, so that only the others tell them apart. Bystanders are clips
of single people, "alone" as well, whatever they do.

Every person has a label, and so has the scene: the interaction that it holds, or "alone".
Everything is drawn by fixed seeds: the same data give the same scenes. No clip of the training
part tests: pairs are those of SBU's official fold 1, other sets keep their official people.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skeletr.datasets.actors import Actor, act, mirror
from skeletr.datasets.camera import Camera
from skeletr.datasets.clip import Clip, DatasetError
from skeletr.datasets.load import load_clips
from skeletr.datasets.motion import take_of
from skeletr.datasets.noise import NoiseConfig, crop, estimate
from skeletr.datasets.pool import TakePool
from skeletr.datasets.sample import SPLITS, Sample
from skeletr.datasets.scenes import IMAGE_SIZES, place
from skeletr.recording import Action, Recording

ALONE = "alone"
BYSTANDERS = ("kard", "utkinect", "msr_action3d", "florence3d")
ROUNDS = {"train": 4, "val": 2, "test": 2}  # scenes together, and as many apart, per SBU clip

_SEED = 2023
_RATE = 15.0  # frames per second, as SBU was recorded
_DURATION = (2.0, 2.6)  # seconds
_BYSTANDERS = (0.3, 0.3, 0.2, 0.1, 0.1)  # chances of 0, 1, ... beside the two
_OWN_PARTNER = 0.5  # chance that the other half of a scene apart is that of the same clip


@dataclass(frozen=True)
class _Part:
    """A pair, one half of one, or a bystander. labels: of its people. partner: where the missing
    one was, -1 left, 1 right, 0 = nobody is missing. source: the clip, for people to read."""

    actor: Actor
    labels: tuple[str, ...]
    partner: int
    source: str


@dataclass(frozen=True)
class _Material:
    """What the scenes of one split are made of."""

    pairs: tuple[Clip, ...]
    singles: TakePool


def read_multi_person(root: Path) -> Iterator[Sample]:
    """All scenes, split by split; reads SBU and the sets of `BYSTANDERS` below `root`.

    Raises:
        DatasetError: data are missing or broken, or a split has no clips.
    """
    pairs = load_clips(root, ["sbu"])
    singles = load_clips(root, BYSTANDERS)
    for split in SPLITS:
        mine = tuple(c for c in pairs if c.split == split)
        if not mine:
            raise DatasetError(f"SBU below {root} holds no pair of the {split} part")
        material = _Material(mine, TakePool([c for c in singles if c.split == split]))
        for clip in mine:
            for number in range(ROUNDS[split]):
                for together in (True, False):
                    yield _scene(clip, number, together, material)


def _scene(clip: Clip, number: int, together: bool, material: _Material) -> Sample:
    # The same draws for both scenes of a clip and round, so that the pair moves the same in both.
    rng = np.random.default_rng([_SEED, zlib.crc32(clip.name.encode()), number])
    times = np.arange(0, float(rng.uniform(*_DURATION)), 1 / _RATE)
    pair = _pair(clip, times, rng)
    first = int(rng.integers(2))
    bystanders = [
        _bystander(material.singles, times, rng)
        for _ in range(rng.choice(len(_BYSTANDERS), p=_BYSTANDERS))
    ]
    if together:
        parts = [_Part(pair, (clip.original,) * 2, 0, _source(clip)), *bystanders]
    else:
        halves = [_half(pair, first, clip), _other_half(pair, first, clip, times, material, rng)]
        parts = [*halves, *bystanders]
    parts = _apart([parts[i] for i in rng.permutation(len(parts))])
    recording = _film(parts, clip.original if together else ALONE, times, rng)
    name = f"{clip.name}/{number}/{'together' if together else 'apart'}"
    return Sample(recording, name, clip.split, clip.group)


def _pair(clip: Clip, times: np.ndarray, rng: np.random.Generator) -> Actor:
    actor = act(take_of(clip), times, Camera.random(rng, all_round=True), rng)
    return mirror(actor) if rng.random() < 0.5 else actor


def _half(pair: Actor, which: int, clip: Clip) -> _Part:
    """One of the two, exactly as in the pair."""
    middle = np.median(pair.xy[..., [11, 12], 0], axis=(1, 2))  # of the hips, one of each
    one = slice(which, which + 1)
    half = Actor(pair.xy[one], pair.seen[one], pair.spans[one])
    partner = 1 if middle[1 - which] > middle[which] else -1
    return _Part(half, (ALONE,), partner, f"half of {_source(clip)}")


def _other_half(
    pair: Actor,
    first: int,
    clip: Clip,
    times: np.ndarray,
    material: _Material,
    rng: np.random.Generator,
) -> _Part:
    if rng.random() < _OWN_PARTNER:
        return _half(pair, 1 - first, clip)
    other = material.pairs[rng.integers(len(material.pairs))]
    return _half(_pair(other, times, rng), int(rng.integers(2)), other)


def _bystander(singles: TakePool, times: np.ndarray, rng: np.random.Generator) -> _Part:
    take = singles.single(rng)
    actor = act(take, times, Camera.random(rng, all_round=False), rng)
    return _Part(actor, (ALONE,), 0, _source(take.clip))


def _apart(parts: Sequence[_Part]) -> list[_Part]:
    """From left to right, so that no two halves face each other side by side: that might be an
    interaction after all."""
    row = list(parts)
    for i in range(len(row) - 1):
        if row[i].partner > 0 > row[i + 1].partner:
            row[i], row[i + 1] = row[i + 1], row[i]
    return row


def _film(
    parts: Sequence[_Part], scene: str, times: np.ndarray, rng: np.random.Generator
) -> Recording:
    """The parts side by side in a picture, as a pose estimator would see them."""
    size = IMAGE_SIZES[rng.integers(len(IMAGE_SIZES))]
    placed = place([p.actor for p in parts], times, size, half_body=False, rng=rng)
    placed = _on_floor(placed, size[1], rng)
    end = float(times[-1])
    people, actions = [], [Action(scene, None, 0.0, end)]
    for part, pixels in zip(parts, placed, strict=True):
        for person, label in enumerate(part.labels):
            start, stop = _acting(part.actor, person, end)
            actions.append(Action(label, len(people), start, stop))
            seen = part.actor.seen[person]
            people.append(crop(estimate(pixels[person], seen, times, NoiseConfig(), rng), size))
    source = "; ".join(p.source for p in parts)
    return Recording.from_arrays(np.stack(people), times, size, actions, source)


def _on_floor(
    placed: Sequence[np.ndarray], height: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Nobody floats: where people stand would else tell at once who belongs together."""
    floor = height * float(rng.uniform(0.75, 0.98))
    shifts = [
        floor + height * float(rng.normal(0, 0.03)) - float(np.quantile(pixels[..., 1], 0.98))
        for pixels in placed
    ]
    return [
        pixels + np.array([0, shift], np.float32)
        for pixels, shift in zip(placed, shifts, strict=True)
    ]


def _acting(actor: Actor, person: int, end: float) -> tuple[float, float]:
    """When somebody acts, rests included, in seconds of the scene."""
    spans = actor.spans[person]
    return max(min(s.start for s in spans), 0.0), min(max(s.end for s in spans), end)


def _source(clip: Clip) -> str:
    return f"{clip.dataset} {clip.group} {clip.name}"
