"""What the recogniser says: labels per person and per scene, with reasons, and attention."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np


class Status(StrEnum):
    """Why there is a label, or why there is none."""

    OK = "ok"
    UNKNOWN = "unknown"  # seen well enough, but the model is not sure
    NOBODY = "nobody"  # no person in view
    TOO_FEW_JOINTS = "too few joints"  # a person, but too little of the body is seen
    NOT_ENOUGH_FRAMES = "not enough frames yet"  # the first short sequence is not complete


REASONS: dict[Status, str] = {
    Status.OK: "",
    Status.UNKNOWN: "The model is not sure what this is.",
    Status.NOBODY: "Nobody is in view.",
    Status.TOO_FEW_JOINTS: "Too little of the body is visible.",
    Status.NOT_ENOUGH_FRAMES: "Watching: not enough frames yet.",
}


@dataclass(frozen=True)
class Prediction:
    """One decision over K labels.

    scores: (K,) probabilities, averaged over overlapping windows; all zero where nothing was
        predicted. label, score: the best one; `label` is set even if `status` is UNKNOWN, so
        that a reader can see the guess; it is empty where nothing was predicted.
    """

    status: Status
    scores: np.ndarray
    label: str = ""
    score: float = 0.0

    @property
    def text(self) -> str:
        """What to show: the label, or the status in plain words."""
        return self.label if self.status is Status.OK else str(self.status.value)


def decide(scores: np.ndarray, labels: tuple[str, ...], threshold: float) -> Prediction:
    """The label of the highest score, or an honest "unknown" below `threshold`.

    Args:
        scores: (K,) probabilities.
    """
    best = int(np.argmax(scores))
    score = float(scores[best])
    status = Status.OK if score >= threshold else Status.UNKNOWN
    return Prediction(status, scores, labels[best], score)


def nothing(status: Status, labels: tuple[str, ...]) -> Prediction:
    """A decision without scores: `status` says why."""
    return Prediction(status, np.zeros(len(labels), dtype=np.float32))


@dataclass(frozen=True)
class Attention:
    """Attention between the short sequences of one window (paper, Fig. 5).

    weights: (layers, heads, M', M') float32; row = the sequence that looks, column = the one
        looked at; the mean over the row's tokens of the sum over the column's tokens, so every
        row sums to 1.
    times: (M',) seconds of the key frame of each sequence; person: (M',) person ids.
    Sequences are ordered by person, then by time.
    """

    weights: np.ndarray
    times: np.ndarray
    person: np.ndarray

    @property
    def names(self) -> list[str]:
        """P(time, person) of each sequence, with the time in seconds, as in Fig. 5."""
        return [f"P({t:.1f}, {p})" for t, p in zip(self.times, self.person, strict=True)]

    def only(self, layer: int | None = None, head: int | None = None) -> Attention:
        """The same of one layer and head; all of them where left out."""
        weights = self.weights if layer is None else self.weights[layer : layer + 1]
        weights = weights if head is None else weights[:, head : head + 1]
        return replace(self, weights=weights)

    def select(self, layer: int | None = None, head: int | None = None) -> np.ndarray:
        """One (M', M') map: of a layer and head, or the mean over those left out."""
        return self.only(layer, head).weights.mean(axis=(0, 1))

    def between_people(
        self, layer: int | None = None, head: int | None = None
    ) -> tuple[list[int], np.ndarray]:
        """Person by person: the mean over a person's rows of the sum over the other's columns.

        Returns:
            people: ids, ascending; weights: (people, people), rows sum to 1.
        """
        people, index = np.unique(self.person, return_inverse=True)
        member = np.eye(len(people), dtype=np.float32)[index]  # (M', people)
        summed = member.T @ self.select(layer, head) @ member
        return [int(p) for p in people], summed / np.maximum(member.sum(axis=0)[:, None], 1)


@dataclass(frozen=True)
class Actions:
    """The recogniser's answer to one step.

    time: seconds, of the frame that was given.
    key_time: seconds, of the newest key frame that was recognised; None before the first.
    people: person id -> prediction, for the people in this frame.
    scene: the video-level prediction over the current window.
    attention: of the newest window; None before the first or where nobody was recognised.
    fresh: True when this step recognised a new key frame.
    """

    time: float
    key_time: float | None
    people: dict[int, Prediction]
    scene: Prediction
    attention: Attention | None = None
    fresh: bool = False


@dataclass(frozen=True)
class Track:
    """One person, or the scene, over the key frames: the averaged scores.

    times: (n,) seconds, ascending; scores: (n, K); predictions: n decisions.
    start, end: seconds, first and last moment in view.
    """

    times: np.ndarray
    predictions: tuple[Prediction, ...]
    start: float
    end: float

    def at(self, time: float, reach: float) -> Prediction | None:
        """The prediction of the key frame nearest to `time`; None if none is within `reach` s."""
        if not len(self.times):
            return None
        after = int(np.searchsorted(self.times, time))
        near = range(max(after - 1, 0), min(after + 1, len(self.times)))
        nearest = min(near, key=lambda i: abs(self.times[i] - time))
        return self.predictions[nearest] if abs(self.times[nearest] - time) <= reach else None


# In the summary of somebody of whom an action was surely seen, shares count less
_AT_REST = 0.3  # of moments at rest: who waves and then stands there has waved
_GUESSED = 0.3  # of what was never surely said
_PASSING = 0.05  # of coming and going, where anything else was: who comes, comes for something


@dataclass(frozen=True)
class ActionLog:
    """Everything recognised so far: a track per person, one for the scene, attention over time.

    interval: seconds between key frames. attention: one per recognised key frame, with its time.
    rests: labels of people who do nothing in particular. passing: what people do on the way to
    something else, or away from it.
    """

    labels: tuple[str, ...]
    interval: float
    people: dict[int, Track]
    scene: Track
    attention: tuple[tuple[float, Attention], ...] = ()
    rests: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()

    def at(self, time: float) -> tuple[dict[int, Prediction], Prediction]:
        """What was decided about the moment `time`: person id -> prediction, and the scene's."""
        people = {
            i: track.at(time, self.interval) or nothing(Status.NOT_ENOUGH_FRAMES, self.labels)
            for i, track in self.people.items()
            if track.start - 1e-6 <= time <= track.end + 1e-6
        }
        scene = self.scene.at(time, self.interval)
        if scene is None or not people or scene.status is Status.NOBODY:
            scene = nothing(Status.NOT_ENOUGH_FRAMES if people else Status.NOBODY, self.labels)
        return people, scene

    def overall(self) -> list[tuple[str, float]]:
        """Video-level labels, best first, see `summary`: of the scene and of everybody in it.

        What the scene shows is said of whole windows; a moment that decides what a video is
        about, such as a blow, is better seen in those who are part of it.
        """
        people = (p for track in self.people.values() for p in track.predictions)
        return self._shares([*self.scene.predictions, *people])

    def summary(self, track: Track) -> list[tuple[str, float]]:
        """What was done over a whole track: labels with shares that sum to 1, best first.

        Moments count by the square of how sure the model is. Where it was ever sure of an action,
        moments at rest, mere guesses, and coming and going count less: who waves and then stands
        there has waved, and who walks up to somebody and shakes hands has shaken hands. Empty
        where nothing was predicted.
        """
        return self._shares(track.predictions)

    def _shares(self, predictions: Iterable[Prediction]) -> list[tuple[str, float]]:
        found = [p for p in predictions if p.scores.any()]
        if not found:
            return []
        scores = np.stack([p.scores for p in found]).astype(np.float64)  # (n, K)
        moments = scores.max(axis=1) ** 2
        said = {p.label for p in found if p.status is Status.OK}
        acts = said - set(self.rests)
        if acts:
            moments[[p.label in self.rests for p in found]] *= _AT_REST
        share = moments @ scores
        if acts:
            share[~np.isin(self.labels, [*said, *self.rests])] *= _GUESSED
        if acts - set(self.passing):
            share[np.isin(self.labels, self.passing)] *= _PASSING
        share /= share.sum()
        return [(self.labels[i], float(share[i])) for i in np.argsort(-share)]
