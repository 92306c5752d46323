"""What the frozen network makes of the short sequences of a recording, for `taught_head`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch

from skeletr.checkpoint import Checkpoint
from skeletr.coordinates import embed, normalise
from skeletr.model.mix_pooling import MixPooling
from skeletr.recording import Recording
from skeletr.scoring import Scorer, in_company
from skeletr.sequences import Sequences, build_sequences, key_times, window_index

_LEAST_OBSERVED = 0.3  # as of the recogniser
_LEAST_JOINTS = 5.0
_RESTING = 0.5  # probability of standing or sitting from which on an example is a pause
_PIECE = 16  # short sequences of which features are made at once
_RESTS = ("stand", "sit")  # where a checkpoint does not say what its rests are


# One piece of work on the model, a fraction of a second, is done within each of what it returns.
Turn = Callable[[], AbstractContextManager[object]]


def describe(checkpoint: Checkpoint, features: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Unit vectors (n, D) whose product is a similarity between 0 and 1, mostly.

    The features (n, d), and of the tokens (n, L, d), where the model has such, the body parts, how
    much the moments differ, and the first and the second half of them, in that order; these tell
    finer than the labels the model was trained for.
    """
    found = [features]
    streams = _streams(checkpoint, tokens)
    if "1xP" in streams:
        found.append(streams["1xP"].reshape(len(features), -1))
    if "Tx1" in streams:
        moments = streams["Tx1"]
        found += [moments.std(axis=1), _halves(moments)]
    return np.concatenate([unit(f) for f in found], axis=1) / np.sqrt(len(found))


def example_features(
    checkpoint: Checkpoint,
    recording: Recording,
    person: int | None,
    action: bool = True,
    turn: Turn = nullcontext,
) -> tuple[np.ndarray, np.ndarray]:
    """Of everybody's, or one person's, sequences in every window that holds them.

    Args:
        action: it is an example: two grids of key frames, half a step apart, because an action
            begins at any moment; and pauses, sequences of somebody who surely stands or sits,
            are left out unless there is nothing else.
        turn: for those who share the model with others.

    Returns:
        features (n, D), see `describe`, and probabilities (n, K) over the checkpoint's labels.
    """
    config = checkpoint.sequences
    features, scores = [], []
    starts = (recording.start, recording.start + config.interval / 2)
    for start in starts if action else starts[:1]:
        for window, described, probabilities in _windows(checkpoint, recording, start, turn):
            own = np.ones(len(window), bool) if person is None else window.person == person
            features.append(described[own])
            scores.append(probabilities[own])
    if not features:
        return np.zeros((0, 1), np.float32), np.zeros((0, len(checkpoint.labels)), np.float32)
    all_features, all_scores = np.concatenate(features), np.concatenate(scores)
    if not action:
        return all_features, all_scores
    rests = np.isin(checkpoint.labels, checkpoint.rests or _RESTS)
    acts = all_scores[:, rests].sum(axis=1) < _RESTING
    return (all_features[acts], all_scores[acts]) if acts.any() else (all_features, all_scores)


@torch.inference_mode()
def _windows(
    checkpoint: Checkpoint, recording: Recording, start: float, turn: Turn
) -> Iterator[tuple[Sequences, np.ndarray, np.ndarray]]:
    """Window by window its sequences, their features (m, D) and probabilities (m, K)."""
    config = checkpoint.sequences
    found = build_sequences(recording, config, start)
    found = found.take(_usable(found))
    if not len(found):
        return
    tokens = _tokens(checkpoint, found, turn)
    scorer = Scorer(checkpoint)
    for key in key_times(start, recording.end, config):
        index = window_index(found, float(key), config)
        if not len(index):
            continue
        window = found.take(index)
        own = tokens[torch.from_numpy(index).to(tokens.device)]
        with turn():
            described, probabilities = _seen(checkpoint, scorer, window, own, float(key))
        yield window, described, probabilities


def _tokens(checkpoint: Checkpoint, sequences: Sequences, turn: Turn) -> torch.Tensor:
    """(R, L, d) of R sequences, which may be many."""
    config, model = checkpoint.sequences, checkpoint.model
    device = next(model.parameters()).device
    found = []
    for first in range(0, len(sequences), _PIECE):
        piece = sequences.take(np.arange(first, min(first + _PIECE, len(sequences))))
        with turn():
            found.append(model.tokens(torch.from_numpy(normalise(piece, config)).to(device)))
    return torch.cat(found)


def _seen(
    checkpoint: Checkpoint, scorer: Scorer, window: Sequences, own: torch.Tensor, key: float
) -> tuple[np.ndarray, np.ndarray]:
    """Features (m, D) and probabilities (m, K) of one window and its tokens (m, L, d)."""
    device = own.device
    embedding = torch.from_numpy(embed(window, key, checkpoint.sequences)).to(device)
    mask = torch.ones(1, len(window), dtype=torch.bool, device=device)
    output = checkpoint.model.relate(own[None], embedding[None], mask)
    probabilities = scorer.people(output, not in_company(window), own)
    arrays = (t.float().cpu().numpy() for t in (output.features[0], own))
    return describe(checkpoint, *arrays), probabilities


def _usable(sequences: Sequences) -> np.ndarray:
    """(R,) bool: what the recogniser would give a label."""
    joints = (sequences.keypoints[..., 2] > 0).sum(axis=2)  # (R, T)
    mean = joints.sum(axis=1) / np.maximum((joints > 0).sum(axis=1), 1)
    return (sequences.observed >= _LEAST_OBSERVED) & (mean >= _LEAST_JOINTS)


def _streams(checkpoint: Checkpoint, tokens: np.ndarray) -> dict[str, np.ndarray]:
    """Stream of tokens -> (n, its tokens, d)."""
    config = checkpoint.model.config
    frames = config.backbone.frames(checkpoint.sequences.frames)
    found, first = {}, 0
    for stream in config.aggregation:
        count = MixPooling((stream,)).length(frames)
        found[stream] = tokens[:, first : first + count]
        first += count
    return found


def _halves(moments: np.ndarray) -> np.ndarray:
    """(n, T', d) -> (n, 2d), the means of both halves of the time."""
    middle = moments.shape[1] // 2
    halves = moments[:, : max(middle, 1)].mean(axis=1), moments[:, middle:].mean(axis=1)
    return np.concatenate(halves, axis=1)


def unit(x: np.ndarray) -> np.ndarray:
    """(n, D) -> rows of length 1."""
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)
