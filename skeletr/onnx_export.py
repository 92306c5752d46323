"""A checkpoint as an ONNX file, kept only if it says the same as the network itself."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from skeletr.batch import SequenceBatch, collate
from skeletr.checkpoint import Checkpoint
from skeletr.coordinates import model_input
from skeletr.digest import checkpoint_digest
from skeletr.files import atomic_path
from skeletr.model import SkeleTR
from skeletr.model.skeletr import SkeleTROutput
from skeletr.onnx_engine import CONFIG_KEY, DIGEST_KEY, OnnxModel, session
from skeletr.onnx_graph import ATTENTION, INPUTS, OnnxError, build
from skeletr.recording import Recording
from skeletr.sequences import build_sequences, in_window, key_times

TOLERANCE = 1e-4
_WINDOWS = 24  # per recording, evenly spaced
_BATCH = 4  # windows of different M', so that there is padding


@dataclass(frozen=True)
class Agreement:
    """How far an ONNX file is from the network.

    windows, sequences: how many were compared. difference: output -> the largest absolute
    difference, of logits, features and attention.
    """

    windows: int = 0
    sequences: int = 0
    difference: dict[str, float] = field(default_factory=dict)

    @property
    def worst(self) -> float:
        """The largest of them, NaN if there is one; infinite where nothing was compared."""
        return float(np.max(list(self.difference.values()) or [np.inf]))


def export_onnx(
    checkpoint: Checkpoint,
    path: str | os.PathLike[str],
    recordings: Sequence[Recording],
    attention: bool = False,
) -> Agreement:
    """Write `checkpoint` as an ONNX file with everything needed to use it in its metadata.

    Args:
        recordings: of people, on which the file must agree with the network.
        attention: the file also gives the attention weights of each layer.

    Raises:
        OnnxError: a package is missing, the model cannot be expressed, there is nobody in the
            recordings, or the file says something else; nothing is written then.
    """
    if not any(True for recording in recordings for _ in _windows(recording, checkpoint)):
        raise OnnxError("nobody is seen in the recordings, so the file could not be checked")
    graph = build(checkpoint.model, checkpoint.sequences.frames, attention)
    for key, value in _metadata(checkpoint).items():
        graph.metadata_props.add(key=key, value=value)
    path = Path(path)
    with atomic_path(path) as partial:
        partial.write_bytes(graph.SerializeToString())
        agreement = compare(checkpoint, partial, recordings)
        if not agreement.worst <= TOLERANCE:
            raise OnnxError(
                f"the ONNX file differs from the network by {agreement.worst:.1e}, "
                f"expected at most {TOLERANCE:.0e}; it was not kept"
            )
    return agreement


def compare(checkpoint: Checkpoint, path: Path, recordings: Sequence[Recording]) -> Agreement:
    """An ONNX file against the network, as a whole and stage by stage, on padded batches."""
    import onnx

    graph = onnx.load(path, load_external_data=False)
    whole = session(graph)
    parts = OnnxModel(graph, checkpoint.model.config, "")
    names = [o.name for o in whole.get_outputs()]
    need_attention = any(n.startswith(ATTENTION) for n in names)
    windows = [w for recording in recordings for w in _windows(recording, checkpoint)]
    difference = dict.fromkeys(names, 0.0) if windows else {}
    for first in range(0, len(windows), _BATCH):
        batch = collate(windows[first : first + _BATCH], checkpoint.sequences.frames)
        expected = _outputs(names, _run(checkpoint.model, batch, need_attention))
        given = {n: getattr(batch, n).numpy() for n in INPUTS}
        staged = parts.relate(_tokens(parts, batch), batch.embedding, batch.mask, need_attention)
        for found in (
            dict(zip(names, whole.run(names, given), strict=True)),
            _outputs(names, staged),
        ):
            for name in names:
                apart = np.abs(found[name] - expected[name]).max()
                # Not max(), which may lose a NaN.
                difference[name] = float(np.maximum(difference[name], apart))
    return Agreement(len(windows), sum(len(x) for x, _ in windows), difference)


def _windows(recording: Recording, checkpoint: Checkpoint) -> Iterator[tuple]:
    """Inputs of the model, (M', T, V, C) and (M', 5), at key frames of a recording."""
    config = checkpoint.sequences
    sequences = build_sequences(recording, config)
    keys = key_times(recording.start, recording.end, config)
    if config.linking == "rank":
        keys = keys[-1:]  # long sequences go through a whole recording, not a window
    chosen = np.unique(np.linspace(0, len(keys) - 1, _WINDOWS).round().astype(int))
    for key in keys[chosen]:
        window = sequences if config.linking == "rank" else in_window(sequences, key, config)
        if len(window):
            yield model_input(window, key, config)


@torch.inference_mode()
def _run(model: SkeleTR, batch: SequenceBatch, need_attention: bool) -> SkeleTROutput:
    return model(batch, need_attention)


def _tokens(parts: OnnxModel, batch: SequenceBatch) -> torch.Tensor:
    """(N, M, L, d) of stage 1 on the real sequences."""
    real = parts.tokens(batch.x[batch.mask])
    padded = real.new_zeros(*batch.mask.shape, *real.shape[1:])
    padded[batch.mask] = real
    return padded


def _outputs(names: Sequence[str], output: SkeleTROutput) -> dict[str, np.ndarray]:
    layers = {f"{ATTENTION}{i}": a for i, a in enumerate(output.attention or ())}
    found = {n: layers[n] if n in layers else getattr(output, n) for n in names}
    return {n: a.numpy() for n, a in found.items()}


def _metadata(checkpoint: Checkpoint) -> dict[str, str]:
    """For this program all of `config.json`; for others what they need, under its own name."""
    config = checkpoint.as_config()
    calibration = checkpoint.calibration
    return {
        CONFIG_KEY: json.dumps(config),
        DIGEST_KEY: checkpoint_digest(checkpoint),
        "labels": json.dumps(config["labels"]),
        "interactions": json.dumps(config["interactions"]),
        "temperature": repr(calibration.temperature),
        "threshold": repr(calibration.threshold),
        "sequences": json.dumps(config["sequences"]),
    }
