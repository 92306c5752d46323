"""The takes that scenes are composed of, drawn so that rare labels are not forgotten."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from skeletr.datasets.clip import Clip, DatasetError
from skeletr.datasets.motion import Take, take_of
from skeletr.datasets.vocabulary import INTERACTIONS, SIT, STAND

# How much of the single people do nothing in particular.
_REST_SHARE = {STAND: 0.06, SIT: 0.03}

# Chances of a label in one data set go with clips ** 0.25: 1 would forget rare labels, 0 wear
# them out. A label of several data sets, which are the everyday ones, gets the sum.
_BALANCE = 0.25
_FEWEST_JOINTS = 4.0  # on average; clips in which less is seen teach nothing


class TakePool:
    """Takes by label; interactions of two people apart from what one person does alone."""

    def __init__(self, clips: Iterable[Clip]) -> None:
        """Raises `DatasetError` when there are no clips."""
        takes: dict[str, list[Take]] = defaultdict(list)
        for clip in clips:
            if clip.seen.sum(axis=-1).mean() < _FEWEST_JOINTS:
                continue
            take = take_of(clip)
            takes[take.action.label].append(take)
            for rest in take.rests:
                takes[rest.label].append(Take(replace(clip, label=rest.label), rest))
        if not takes:
            raise DatasetError("no training clips; expected at least one")
        self.takes = dict(takes)
        self._by_dataset = {label: _by_dataset(found) for label, found in takes.items()}
        self._of_pair = _by_pair(takes)
        self._spatial = {
            label: [
                t for t in found if t.clip.points.shape[0] == 1 and t.clip.points.shape[-1] == 3
            ]
            for label, found in takes.items()
        }
        self._pairs = sorted(label for label in takes if label in INTERACTIONS)
        self._alone = sorted(set(takes) - INTERACTIONS)
        self._weights = self._share(self._alone)

    @property
    def has_pairs(self) -> bool:
        """Whether there are clips of two people together."""
        return bool(self._pairs)

    @property
    def has_singles(self) -> bool:
        """Whether there are clips of one person."""
        return bool(self._alone)

    def pair(self, rng: np.random.Generator) -> Take:
        """Two people together; every interaction is equally likely."""
        return self._draw(self._pairs[rng.integers(len(self._pairs))], rng)

    def beside(self, take: Take, label: str | None, rng: np.random.Generator) -> Take | None:
        """What the two people of a take did in another one, in metres: `label`, or anything
        else; None if there is no such take."""
        found = self._of_pair.get(take.clip.group, {})
        others = [o for o in found if o != take.action.label] if label is None else [label]
        takes = [t for o in others for t in found.get(o, ()) if t is not take]
        return takes[rng.integers(len(takes))] if takes else None

    def single(self, rng: np.random.Generator, label: str | None = None) -> Take:
        """One person doing `label`, or anything: see `_BALANCE`."""
        if label is None:
            label = self._alone[rng.choice(len(self._alone), p=self._weights)]
        parts = self._by_dataset[label]
        chances = np.array([len(part) for part in parts]) ** _BALANCE
        part = parts[rng.choice(len(parts), p=chances / chances.sum())]
        return part[rng.integers(len(part))]

    def spatial_labels(self) -> frozenset[str]:
        """What is done by one person in clips in three dimensions."""
        return frozenset(label for label, takes in self._spatial.items() if takes)

    def spatial(self, rng: np.random.Generator, label: str) -> Take:
        """One person doing `label`, in metres; see `spatial_labels`."""
        takes = self._spatial[label]
        return takes[rng.integers(len(takes))]

    def _draw(self, label: str, rng: np.random.Generator) -> Take:
        takes = self.takes[label]
        return takes[rng.integers(len(takes))]

    def _share(self, labels: list[str]) -> np.ndarray:
        active = np.array([label not in _REST_SHARE for label in labels], dtype=bool)
        weights = active * np.array(
            [sum(len(part) ** _BALANCE for part in self._by_dataset[label]) for label in labels]
        )
        rest = np.array([_REST_SHARE.get(label, 0.0) for label in labels])
        if weights.sum() > 0:
            weights *= (1 - rest.sum()) / weights.sum()
        total = weights + rest
        return total / total.sum() if len(labels) else total


def _by_pair(takes: dict[str, list[Take]]) -> dict[str, dict[str, list[Take]]]:
    """Group of two people -> label -> takes in three dimensions."""
    parts: dict[str, dict[str, list[Take]]] = defaultdict(lambda: defaultdict(list))
    for label, found in takes.items():
        for take in found:
            if label in INTERACTIONS and take.clip.points.shape[-1] == 3:
                parts[take.clip.group][label].append(take)
    return {group: dict(labels) for group, labels in parts.items()}


def _by_dataset(takes: list[Take]) -> list[list[Take]]:
    parts: dict[str, list[Take]] = defaultdict(list)
    for take in takes:
        parts[take.clip.dataset].append(take)
    return list(parts.values())
