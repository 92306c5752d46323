"""Where the training scenes of a task come from: composed, from clips, or from a store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from skeletr.coordinates import model_input
from skeletr.datasets.clip import Clip
from skeletr.datasets.pool import TakePool
from skeletr.datasets.scenes import SceneConfig, compose
from skeletr.datasets.store import RecordingStore
from skeletr.datasets.targets import IGNORE, instance_targets, scene_target
from skeletr.datasets.task_targets import Kind, asked, several_targets, video_target
from skeletr.recording import Recording
from skeletr.sequences import (
    SequenceConfig,
    Sequences,
    build_sequences,
    empty_sequences,
    in_window,
    key_times,
    sequences_at,
)
from skeletr.training.augment import AugmentConfig, clip_scene, vary
from skeletr.training.schedule import Order

_FEWEST_JOINTS = 4.5  # on average over the frames; with fewer, nobody could tell the action
_LEAST_OBSERVED = 0.25
_ATTEMPTS = 200
_VARIATIONS = 4  # of one sample, before it is taken as it is


@dataclass(frozen=True)
class Scene:
    """What the model sees of a scene, and its labels.

    x: (M', T, V, C). embedding: (M', 5). instance: (M',) int64 and scene, `IGNORE` where there is
    no label. several: (M', K) float32 of 0 and 1, NaN where nothing is known; None where a
    sequence has at most one label.
    """

    x: np.ndarray
    embedding: np.ndarray
    instance: np.ndarray
    scene: int = IGNORE
    several: np.ndarray | None = None


class Source(Protocol):
    """Training scenes of one task."""

    size: int  # samples, or clips of which scenes are composed

    def draw(self, number: int, most: int, rng: np.random.Generator) -> Scene:
        """Scene `number` of the task, of at most `most` sequences, with at least one label."""


class ComposedSource:
    """Scenes composed from clips of several data sets under one vocabulary."""

    def __init__(
        self,
        clips: Sequence[Clip],
        labels: tuple[str, ...],
        scenes: SceneConfig,
        sequences: SequenceConfig,
    ) -> None:
        self.pool = TakePool(clips)
        self.size = len(clips)
        self._labels, self._scenes, self._sequences = labels, scenes, sequences

    def draw(self, number: int, most: int, rng: np.random.Generator) -> Scene:
        """A new scene; which one depends on `rng` alone."""
        config = self._sequences
        for _ in range(_ATTEMPTS):
            recording = compose(self.pool, self._scenes, rng)
            first = float(rng.uniform(0, config.interval))
            keys = key_times(first, recording.end, config)
            end = float(keys[-1] if rng.random() < 0.5 else rng.choice(keys)) if len(keys) else 0.0
            window = _newest(recording, keys[keys <= end], most, config)
            if not len(window):
                continue
            targets = instance_targets(window, recording, self._labels, config)
            targets[~enough_joints(window)] = IGNORE
            if (targets != IGNORE).any():
                scene = scene_target(targets, self._labels)
                return Scene(*model_input(window, end, config), targets, scene)
        raise RuntimeError(f"{_ATTEMPTS} composed scenes had no usable label; check `scenes`")


class SampleSource:
    """Samples of a clip data set or a store, every one once per epoch, always a little different.

    A sample in which nothing can be recognised gives its place to another one.
    """

    def __init__(
        self,
        size: int,
        load: Callable[[int, np.random.Generator | None], Recording],
        labels: tuple[str, ...],
        kind: Kind,
        sequences: SequenceConfig,
        seed: Sequence[int],
    ) -> None:
        """load: index of a sample, and the source of its variation or None -> its recording."""
        self.size = size
        self._load, self._labels, self._kind, self._sequences = load, labels, kind, sequences
        self._order = Order(size, seed)

    def draw(self, number: int, most: int, rng: np.random.Generator) -> Scene:
        """The sample that comes at place `number`."""
        index = self._order(number)
        for attempt in range(_ATTEMPTS):
            plain = attempt % (_VARIATIONS + 1) == _VARIATIONS
            recording = asked(self._load(index, None if plain else rng), self._kind)
            scene = self._cut(recording, most, rng)
            if scene is not None:
                return scene
            if plain:
                index = int(rng.integers(self.size))
        raise RuntimeError(f"{_ATTEMPTS} samples had no usable label; check `sequences` and data")

    def _cut(self, recording: Recording, most: int, rng: np.random.Generator) -> Scene | None:
        """A window of the recording, and of its sequences at most `most`, drawn at random."""
        config = self._sequences
        found = _sequences(_stretch(recording, config, rng), config, rng)
        found = found.take(enough_joints(found))
        if not len(found):
            return None
        end = float(found.times.max())
        window = found.take(found.times > end - config.window + 1e-6)
        if len(window) > most:
            window = window.take(np.sort(self._rank(window, recording, rng)[:most]))
        return self._label(window, end, recording)

    def _rank(
        self, window: Sequences, recording: Recording, rng: np.random.Generator
    ) -> np.ndarray:
        """(M',) indices in random order; where few sequences have labels, those come first."""
        order = rng.random(len(window))
        if self._kind == "multilabel":
            order -= several_targets(window, recording, self._labels)[1]
        return np.argsort(order)

    def _label(self, window: Sequences, end: float, recording: Recording) -> Scene | None:
        config, labels = self._sequences, self._labels
        nothing = np.full(len(window), IGNORE, np.int64)
        if self._kind == "video":
            target = video_target(recording, labels)
            scene = Scene(*model_input(window, end, config), nothing, target)
            return scene if target != IGNORE else None
        if self._kind == "instance":
            targets = instance_targets(window, recording, labels, config)
            scene = Scene(*model_input(window, end, config), targets)
            return scene if (targets != IGNORE).any() else None
        several, known = several_targets(window, recording, labels)
        several[~known] = np.nan
        scene = Scene(*model_input(window, end, config), nothing, several=several)
        return scene if known.any() else None


def clip_source(
    clips: Sequence[Clip],
    labels: tuple[str, ...],
    kind: Kind,
    sequences: SequenceConfig,
    augment: AugmentConfig,
    seed: Sequence[int],
) -> SampleSource:
    """Clips of one data set, each a scene before a random camera."""
    still = replace(augment, camera=0.0, noisy=0.0, half_body=0.0)

    def load(index: int, rng: np.random.Generator | None) -> Recording:
        if rng is None:
            return clip_scene(clips[index], still, np.random.default_rng([*seed, index]))
        return clip_scene(clips[index], augment, rng)

    return SampleSource(len(clips), load, labels, kind, sequences, seed)


def store_source(
    store: RecordingStore,
    indices: np.ndarray,
    labels: tuple[str, ...],
    kind: Kind,
    sequences: SequenceConfig,
    augment: AugmentConfig,
    seed: Sequence[int],
) -> SampleSource:
    """Recordings of a store, moved, scaled, mirrored and with pose errors."""

    def load(index: int, rng: np.random.Generator | None) -> Recording:
        recording = store[int(indices[index])].recording
        return recording if rng is None else vary(recording, augment, rng)

    return SampleSource(len(indices), load, labels, kind, sequences, seed)


def _newest(recording: Recording, keys: np.ndarray, most: int, config: SequenceConfig) -> Sequences:
    """The window that ends with the last of `keys`, at most `most` sequences; those that would
    be pushed out of it are never cut."""
    limits = replace(config, max_sequences=most)
    parts: list[Sequences] = [empty_sequences(recording.image_size, limits)]
    for key in keys[::-1]:
        found = sequences_at(recording, float(key), limits)
        parts.insert(0, found.take(found.observed >= _LEAST_OBSERVED))
        if key < keys[-1] - limits.window or sum(map(len, parts)) >= most:
            break
    if not len(keys):
        return parts[0]
    return in_window(Sequences.concatenate(parts), float(keys[-1]), limits)


def enough_joints(sequences: Sequences) -> np.ndarray:
    """(M',) whether enough joints are seen in the frames in which the person is seen."""
    seen = sequences.keypoints[..., 2] > 0
    frames = np.maximum(seen.any(axis=-1).sum(axis=-1), 1)
    return seen.sum(axis=(1, 2)) / frames >= _FEWEST_JOINTS


def _sequences(recording: Recording, config: SequenceConfig, rng: np.random.Generator) -> Sequences:
    """All sequences in which enough is seen, from a random first key frame on, which is not
    beyond the middle of a short recording."""
    length = recording.end - recording.start
    latest = config.interval if length >= 2 * config.interval else max(length / 2, 1e-3)
    start = recording.start + float(rng.uniform(0, latest))
    found = build_sequences(recording, config, start)
    return found.take(found.observed >= _LEAST_OBSERVED)


def _stretch(recording: Recording, config: SequenceConfig, rng: np.random.Generator) -> Recording:
    """A random piece of a long recording, as long as the window and what its sequences need."""
    length = config.window + config.before + config.after
    spare = recording.end - recording.start - length
    if spare <= 0:
        return recording
    start = recording.start + float(rng.uniform(0, spare))
    return recording.between(start, start + length)
