"""Late fusion: scores of several models on the same clips, added with weights.

Two-stream is joint + bone with equal weights; the paper fuses RGB and skeleton 2 : 1.
"""

from __future__ import annotations

import json
import math
import os
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from skeletr.files import atomic_path

FORMAT_VERSION = 1
_SHOWN = 3  # names in a message


class ScoreError(ValueError):
    """Scores that cannot be: the message names the file, what was found and what was expected."""


@dataclass(frozen=True)
class ScoreFile:
    """Scores of N clips over K labels.

    names: N clip names, each once. labels: K labels, each once. scores: (N, K) float64.
    targets: (N,) int64 index of the true label, None where it is not known.
    source: the file, for messages.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    scores: np.ndarray
    targets: np.ndarray | None = None
    source: str = field(default="scores", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "labels", tuple(self.labels))
        object.__setattr__(self, "scores", np.asarray(self.scores, np.float64))
        if self.targets is not None:
            object.__setattr__(self, "targets", np.asarray(self.targets))
        _check(self)

    def softmax(self) -> ScoreFile:
        """Logits as probabilities."""
        powers = np.exp(self.scores - self.scores.max(axis=1, keepdims=True))
        return replace(self, scores=powers / powers.sum(axis=1, keepdims=True))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write as .json, or else as .npz without pickles; whole or not at all."""
        write = _write_json if Path(path).suffix.lower() == ".json" else _write_npz
        with atomic_path(path) as partial:
            write(self, partial)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ScoreFile:
        """Read what `save` wrote. Raises `ScoreError` naming the file and what is wrong."""
        read = _read_json if Path(path).suffix.lower() == ".json" else _read_npz
        try:
            content = read(Path(path))
            if content["version"] != FORMAT_VERSION:
                raise ValueError(
                    f"format version {content['version']}, this program reads {FORMAT_VERSION}"
                )
            names, labels, scores = (content[k] for k in ("names", "labels", "scores"))
            if not isinstance(names, list) or not isinstance(labels, list):
                raise ValueError("names and labels must be lists of text")
            return cls(names, labels, scores, content.get("targets"), str(path))
        except ScoreError:
            raise
        except KeyError as error:
            raise ScoreError(f"{path} is not a score file: it holds no {error}") from error
        except (OSError, EOFError, TypeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise ScoreError(f"{path} is not a readable score file: {error}") from error


def fuse(parts: Sequence[tuple[ScoreFile, float]], softmax: bool = False) -> ScoreFile:
    """The weighted mean of scores, aligned by the names of the clips and by the labels.

    Args:
        parts: score files with their weights; clips and labels come in the order of the first.
        softmax: the scores are logits and become probabilities first.

    Returns:
        Scores divided by the sum of the weights, so that probabilities stay probabilities;
        targets of the first file that has them.

    Raises:
        ScoreError: nothing to fuse, a weight not above 0, other names or labels than in the
            first file, or targets that differ.
    """
    if not parts:
        raise ScoreError("no score files to fuse; expected at least one")
    first = parts[0][0]
    total, targets, origin = np.zeros_like(first.scores), None, first
    for part, weight in parts:
        if not (math.isfinite(weight) and weight > 0):
            raise ScoreError(f"{part.source}: weight is {weight}, expected above 0")
        aligned = align(part.softmax() if softmax else part, first)
        total += weight * aligned.scores
        if targets is None:
            targets, origin = aligned.targets, part
        elif aligned.targets is not None:
            _agree(aligned, targets, origin.source)
    return ScoreFile(
        first.names,
        first.labels,
        total / sum(weight for _, weight in parts),
        targets,
        " + ".join(part.source for part, _ in parts),
    )


def align(part: ScoreFile, first: ScoreFile) -> ScoreFile:
    """The clips and labels of `part` in the order of `first`.

    Raises:
        ScoreError: one holds clips or labels that the other lacks.
    """
    rows = _order(part.names, first.names, "clips", part.source, first.source)
    columns = _order(part.labels, first.labels, "labels", part.source, first.source)
    targets = part.targets
    if targets is not None:
        targets = np.argsort(columns)[targets[rows]]
    scores = part.scores[np.ix_(rows, columns)]
    return ScoreFile(first.names, first.labels, scores, targets, part.source)


def _order(
    found: tuple[str, ...], wanted: tuple[str, ...], what: str, source: str, reference: str
) -> np.ndarray:
    """Where each of `wanted` is in `found`, (n,); raises where one holds what the other lacks."""
    index = {name: n for n, name in enumerate(found)}
    lacking = [name for name in wanted if name not in index]
    known = set(wanted)
    further = [name for name in found if name not in known]
    if lacking or further:
        raise ScoreError(
            f"{source} has other {what} than {reference}: {_some(lacking)} lacking, "
            f"{_some(further)} too many; expected the same {len(wanted)}"
        )
    return np.array([index[name] for name in wanted], np.int64)


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return f"{len(names)} ({shown})" if names else "0"


def _agree(part: ScoreFile, targets: np.ndarray, reference: str) -> None:
    """Raise `ScoreError` where the aligned `part` says another truth than `reference`."""
    wrong = np.flatnonzero(part.targets != targets)
    if len(wrong):
        n = int(wrong[0])
        here, there = part.labels[part.targets[n]], part.labels[targets[n]]
        raise ScoreError(
            f"{part.source}: the true label of {part.names[n]} is {here!r}, in {reference} it is "
            f"{there!r}; {len(wrong)} clips differ, expected none"
        )


def _check(s: ScoreFile) -> None:
    for what, names in (("clip", s.names), ("label", s.labels)):
        odd = [n for n in names if not isinstance(n, str)]
        if odd:
            raise ScoreError(f"{s.source}: {what} {odd[0]!r} is no text")
        if len(set(names)) < len(names):
            twice = next(n for n in names if names.count(n) > 1)
            raise ScoreError(f"{s.source}: the {what} {twice!r} is there twice, expected once")
    shape = (len(s.names), len(s.labels))
    if s.scores.shape != shape or not s.scores.size:
        raise ScoreError(f"{s.source}: scores {s.scores.shape}, expected {shape} and some")
    if not np.isfinite(s.scores).all():
        row, column = np.argwhere(~np.isfinite(s.scores))[0]
        raise ScoreError(
            f"{s.source}: the score of {s.names[row]} for {s.labels[column]!r} is not finite"
        )
    if s.targets is None:
        return
    if s.targets.shape != shape[:1] or s.targets.dtype.kind not in "iu":
        raise ScoreError(
            f"{s.source}: targets {s.targets.shape} of {s.targets.dtype}, expected "
            f"({shape[0]},) whole numbers"
        )
    if s.targets.min() < 0 or s.targets.max() >= shape[1]:
        raise ScoreError(
            f"{s.source}: targets from {s.targets.min()} to {s.targets.max()}, expected "
            f"0..{shape[1] - 1}"
        )


def _write_npz(s: ScoreFile, path: Path) -> None:
    known = {} if s.targets is None else {"targets": s.targets}
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            version=np.int64(FORMAT_VERSION),
            names=np.array(s.names, np.str_),
            labels=np.array(s.labels, np.str_),
            scores=s.scores,
            **known,
        )


def _read_npz(path: Path) -> dict[str, object]:
    with np.load(path, allow_pickle=False) as data:
        content: dict[str, object] = {k: data[k] for k in data.files}
    for key in ("names", "labels"):
        content[key] = content[key].tolist()
    return content


def _write_json(s: ScoreFile, path: Path) -> None:
    content = {
        "version": FORMAT_VERSION,
        "names": s.names,
        "labels": s.labels,
        "scores": s.scores.tolist(),
        "targets": None if s.targets is None else s.targets.tolist(),
    }
    path.write_text(json.dumps(content) + "\n", encoding="utf-8")


def _read_json(path: Path) -> dict[str, object]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"it holds a {type(content).__name__}, expected an object")
    return content
