"""Clips through the live recogniser, frame by frame, as a webcam would bring them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from skeletr.actions import ActionLog
from skeletr.checkpoint import Checkpoint
from skeletr.datasets.clip import Clip
from skeletr.datasets.noise import NoiseConfig
from skeletr.evaluation.pictures import Judged
from skeletr.evaluation.protocol import clip_recording
from skeletr.evaluation.report import Result, result_of
from skeletr.recognizer import Recognizer, RecognizerConfig
from skeletr.recording import Recording

# A clip of a data set may be shorter than a short sequence: whatever is seen is judged.
_CONFIG = RecognizerConfig(min_observed=0.0, min_joints=0.0, attention_kept=0)


def recognise(recording: Recording, recognizer: Recognizer) -> ActionLog:
    """Everything the recogniser says about a recording."""
    recognizer.reset()
    for frame in recording.frames():
        recognizer.step(frame.people, frame.time, recording.image_size)
    return recognizer.finish()


def people_scores(log: ActionLog) -> np.ndarray:
    """(K,) probabilities of one clip: the mean over its people's short sequences, each of which
    is the mean over all windows that held it. Equal ones where nobody was recognised."""
    found = [p.scores for t in log.people.values() for p in t.predictions if p.label]
    if not found:
        return np.full(len(log.labels), 1 / len(log.labels))
    return np.mean(found, axis=0)


def live_scores(checkpoint: Checkpoint, recordings: Iterable[Recording]) -> np.ndarray:
    """Probabilities per recording, (N, K)."""
    recognizer = Recognizer(checkpoint, _CONFIG)
    return np.stack([people_scores(recognise(r, recognizer)) for r in recordings])


def evaluate_live(
    checkpoint: Checkpoint,
    clips: Sequence[Clip],
    noise: NoiseConfig | None = None,
    judged: Judged = lambda *_: None,
) -> list[Result]:
    """One result per data set among the clips.

    Args:
        noise: see `clip_recording`. judged: told what was judged, among all labels.
    """
    index = {label: i for i, label in enumerate(checkpoint.labels)}
    results = []
    for dataset in dict.fromkeys(c.dataset for c in clips):
        own = [c for c in clips if c.dataset == dataset]
        scores = live_scores(checkpoint, (clip_recording(c, noise) for c in own))
        targets = np.array([index[str(c.label)] for c in own])
        name = f"{dataset} {'clean' if noise is None else 'noisy'}"
        judged(name, scores, targets, checkpoint.labels)
        results.append(result_of(dataset, noise is not None, scores, targets, checkpoint.labels))
    return results
