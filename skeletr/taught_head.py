"""Learning a few labels from a few examples, on the frozen network.

Each taught action is the mean direction of its examples' features, relative to a background of
motion of no kind in particular (`taught_background`). How near is near enough lies between two
things that need no further data: how near its own examples are to one another when left out, and
how near that background comes to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace

import numpy as np

from skeletr.checkpoint import Checkpoint
from skeletr.recording import Recording
from skeletr.taught_background import Background, background
from skeletr.taught_features import Turn, describe, example_features


@dataclass(frozen=True)
class TeachSettings:
    """far: quantile of the background's similarities that counts as "something else".

    where: the threshold's place between that (0) and the median of the examples when left out
    (1). softness: width of the change from no to yes, in units of that distance.
    """

    far: float = 0.95
    where: float = 0.75
    softness: float = 0.12

    def __post_init__(self) -> None:
        if not 0.5 <= self.far < 1 or not 0 <= self.where <= 1.5 or not 0 < self.softness <= 1:
            raise ValueError(f"{self} is out of range; see TeachSettings")

    def as_dict(self) -> dict[str, float]:
        """Plain values, for a file."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Example:
    """A recording in which `person`, or everybody (None), does what `name` says.

    Equal only to itself, so that what was made of it can be kept in a dictionary.
    """

    name: str
    recording: Recording
    person: int | None = None


@dataclass(frozen=True)
class Shown:
    """What the network makes of one example: features (n, D), built-in probabilities (n, K)."""

    name: str
    features: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class _Boundary:
    """One action: unit direction (D,), and the similarity at which yes and no weigh the same."""

    direction: np.ndarray
    threshold: float
    softness: float


@dataclass(frozen=True)
class LeaveOneOut:
    """How each example is answered by what the others taught.

    accuracy: name -> share of its examples answered with it. answers: name -> answer -> how
    many; answers are taught names or labels of the checkpoint. Names with one example only
    cannot be tried and are in neither.
    """

    accuracy: dict[str, float]
    answers: dict[str, dict[str, int]]


class TaughtHead:
    """Taught labels for a recogniser; see `TaughtActions.fit`."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        shown: Sequence[Shown],
        settings: TeachSettings,
        background: Background,
    ) -> None:
        self.names = tuple(dict.fromkeys(s.name for s in shown))
        self._checkpoint = checkpoint
        self._shown = tuple(replace(s, features=background.relative(s.features)) for s in shown)
        self._settings = settings
        self._background = background
        self._bounds = _bounds(self.names, self._shown, settings, background)

    def shares(self, features: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """How likely each of n sequences shows each taught action, (n, names); the rest of 1
        belongs to the labels of the checkpoint.

        Args:
            features: (n, d) after stage 2. tokens: (n, L, d) of stage 1.
        """
        described = describe(self._checkpoint, features, tokens)
        return _shares(self._background.relative(described), self._bounds)

    def leave_one_out(self) -> LeaveOneOut:
        """Answer every example with a head that was taught without it."""
        answers: dict[str, Counter[str]] = {}
        for i, left in enumerate(self._shown):
            rest = [s for j, s in enumerate(self._shown) if j != i]
            if all(s.name != left.name for s in rest):
                continue
            bounds = _bounds(self.names, rest, self._settings, self._background)
            shares = _shares(left.features, bounds)
            both = np.concatenate(
                [left.scores * (1 - shares.sum(axis=1, keepdims=True)), shares], 1
            )
            best = (*self._checkpoint.labels, *self.names)[int(both.mean(axis=0).argmax())]
            answers.setdefault(left.name, Counter())[best] += 1
        accuracy = {name: found[name] / found.total() for name, found in answers.items()}
        return LeaveOneOut(accuracy, {name: dict(found) for name, found in answers.items()})


def fit_examples(
    examples: Sequence[Example],
    checkpoint: Checkpoint,
    settings: TeachSettings,
    others: Background | None = None,
) -> TaughtHead:
    """Learn from examples; see `TaughtActions.fit`.

    Raises:
        ValueError: in an example nobody is seen long enough, or a name is a label already.
    """
    double = sorted({e.name for e in examples} & set(checkpoint.labels))
    if double:
        raise ValueError(f"{double} are labels of the model already, expected new names")
    shown = []
    for number, example in enumerate(examples, start=1):
        try:
            shown.append(look_at(example, checkpoint))
        except ValueError as error:
            raise ValueError(f"example {number}: {error}") from error
    return TaughtHead(checkpoint, shown, settings, others or background(checkpoint))


def look_at(example: Example, checkpoint: Checkpoint, turn: Turn = nullcontext) -> Shown:
    """What the network makes of one example: the part of teaching that takes time.

    Args:
        turn: see `example_features`.

    Raises:
        ValueError: nobody is seen long enough in it.
    """
    features, scores = example_features(checkpoint, example.recording, example.person, turn=turn)
    if not len(features):
        raise ValueError(f"of {example.name!r}: nobody is seen long enough to learn from")
    return Shown(example.name, features, scores)


def _bounds(
    names: Sequence[str],
    shown: Sequence[Shown],
    settings: TeachSettings,
    background: Background,
) -> list[_Boundary]:
    return [
        _bound([s.features for s in shown if s.name == name], settings, background)
        for name in names
    ]


def _bound(
    examples: Sequence[np.ndarray], settings: TeachSettings, background: Background
) -> _Boundary:
    direction = _direction(examples)
    near = float(np.median(_left_out(examples)))
    far = min(float(np.quantile(background.features @ direction, settings.far)), near)
    threshold = far + settings.where * (near - far)
    return _Boundary(direction, threshold, max(settings.softness * (near - far), 1e-3))


def _direction(examples: Sequence[np.ndarray]) -> np.ndarray:
    """(D,) unit vector; every example counts the same, however long it is."""
    mean = np.mean([e.mean(axis=0) for e in examples], axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-9)


def _left_out(examples: Sequence[np.ndarray]) -> np.ndarray:
    """Similarities of each example's sequences to the others' direction; to their own, which is
    too good, where there is one example only."""
    if len(examples) == 1:
        return examples[0] @ _direction(examples)
    return np.concatenate(
        [
            own @ _direction([e for j, e in enumerate(examples) if j != i])
            for i, own in enumerate(examples)
        ]
    )


def _shares(features: np.ndarray, bounds: Sequence[_Boundary]) -> np.ndarray:
    """(n, D) -> (n, names): a softmax over the actions and "none of them"."""
    logits = np.stack(
        [(features @ b.direction - b.threshold) / b.softness for b in bounds], axis=1
    ).clip(-30, 30)
    weights = np.exp(logits)
    return weights / (1 + weights.sum(axis=1, keepdims=True))
