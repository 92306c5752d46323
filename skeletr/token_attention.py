"""Attention inside one pair of short sequences: whole bodies, moments, body parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from skeletr.actions import Attention
from skeletr.checkpoint import Checkpoint
from skeletr.coordinates import embed, normalise
from skeletr.model.config import SkeleTRConfig
from skeletr.recording import Recording
from skeletr.sequences import SequenceConfig, Sequences, sequences_at
from skeletr.skeleton import COCO_JOINTS, COCO_PARTS


@dataclass(frozen=True)
class PairAttention:
    """How the tokens of one sequence look at those of another, in one layer and head.

    weights: (L, L) float32; row = the token that looks. A row sums to the share of its attention
        that goes to the other sequence at all; the mean of those is that pair's cell of
        `Attention.weights`.
    looks, seen: L names each: "global", "t=2.35 s", "left arm".
    """

    weights: np.ndarray
    looks: tuple[str, ...]
    seen: tuple[str, ...]

    @property
    def share(self) -> float:
        """The pair's cell of the map between sequences."""
        return float(self.weights.sum(axis=1).mean())


@dataclass(frozen=True)
class WindowAttention:
    """All attention of one window.

    key: seconds, the window's newest key frame.
    sequences: the map between sequences; its rows and columns are numbered as in here.
    tokens: (layers, heads, M', L, M', L) float32; rows, over the last two, sum to 1.
    names: per sequence the names of its L tokens.
    """

    key: float
    sequences: Attention
    tokens: np.ndarray
    names: tuple[tuple[str, ...], ...]

    def pair(self, layer: int, head: int, looks: int, seen: int) -> PairAttention:
        """Tokens of sequence `looks` by those of sequence `seen`, numbered as in `sequences`.

        Raises:
            IndexError: there is no such layer, head or sequence.
        """
        layers, heads, count = self.tokens.shape[:3]
        limits = {"layer": layers, "head": heads, "looks": count, "seen": count}
        given = {"layer": layer, "head": head, "looks": looks, "seen": seen}
        for name, limit in limits.items():
            if not 0 <= given[name] < limit:
                raise IndexError(f"{name} is {given[name]}, expected 0..{limit - 1}")
        weights = self.tokens[layer, head, looks, :, seen]
        return PairAttention(weights, self.names[looks], self.names[seen])

    def of(self, chosen: Sequence[int]) -> WindowAttention:
        """A copy with some sequences only, by their numbers; rows then sum to less than 1."""
        index = list(chosen)
        sequences, names = self.sequences, tuple(self.names[i] for i in index)
        weights = sequences.weights[:, :, index][..., index]
        kept = Attention(weights, sequences.times[index], sequences.person[index])
        return WindowAttention(self.key, kept, self.tokens[:, :, index][:, :, :, :, index], names)


@torch.inference_mode()
def look_again(
    recording: Recording, key: float, attention: Attention, checkpoint: Checkpoint
) -> WindowAttention | None:
    """All attention of a window of which only that between sequences was kept.

    Both stages run once more for it, so it costs nothing before somebody asks.

    Args:
        recording: the frames that the window was recognised from, or more.
        key: seconds, the window's newest key frame. attention: what was kept of it.

    Returns:
        None where the frames do not hold all its sequences, or where the model does not attend.
    """
    model, config = checkpoint.model, checkpoint.sequences
    wanted = set(zip(attention.times.tolist(), attention.person.tolist(), strict=True))
    parts = []
    for time in sorted({time for time, _ in wanted}):
        found = sequences_at(recording, time, config)
        related = np.array([(time, p) in wanted for p in found.person.tolist()], bool)
        parts.append(found.take(related))
    if sum(map(len, parts)) != len(wanted) or not wanted:
        return None
    sequences = Sequences.concatenate(parts)
    device = next(model.parameters()).device
    tokens = model.tokens(torch.from_numpy(normalise(sequences, config)).to(device))
    embedding = torch.from_numpy(embed(sequences, key, config)).to(device)
    mask = torch.ones(1, len(sequences), dtype=torch.bool, device=device)
    layers = model.relate(tokens[None], embedding[None], mask, True).attention
    return None if layers is None else window_attention(key, layers, sequences, checkpoint)


def window_attention(
    key: float, layers: Sequence[torch.Tensor], sequences: Sequences, checkpoint: Checkpoint
) -> WindowAttention:
    """Ordered by person, then by time, as `Attention` is.

    Args:
        layers: per layer (1, heads, M'*L, M'*L). sequences: M', in the order of the layers.
    """
    count = len(sequences)
    weights = torch.stack([layer[0] for layer in layers]).float().cpu().numpy()
    length = weights.shape[-1] // count
    order = np.lexsort((sequences.times, sequences.person))
    tokens = weights.reshape(*weights.shape[:2], count, length, count, length)
    tokens = np.ascontiguousarray(tokens[:, :, order][:, :, :, :, order])
    times = sequences.times[order]
    attention = Attention(tokens.sum(axis=-1).mean(axis=3), times, sequences.person[order])
    config = checkpoint.model.config
    names = tuple(token_names(config, checkpoint.sequences, float(t)) for t in times)
    return WindowAttention(key, attention, tokens, names)


def token_names(model: SkeleTRConfig, sequences: SequenceConfig, time: float) -> tuple[str, ...]:
    """The L tokens of a sequence in plain words; time: seconds, of its key frame."""
    stride = int(np.prod(model.backbone.strides))
    steps = range(model.backbone.frames(sequences.frames))
    # A convolution's step k lies over its input's step k * stride.
    offsets = [(k * stride - sequences.frames // 2) / sequences.rate for k in steps]
    moments = [f"t={time + offset:.2f} s" for offset in offsets]
    parts = [name for name, _ in COCO_PARTS]
    found = {
        "1x1": ["global"],
        "TxP": [f"{part}, {moment}" for moment in moments for part in parts],
        "Tx1": moments,
        "1xP": parts,
        "1xV": [joint.replace("_", " ") for joint in COCO_JOINTS],
    }
    return tuple(name for stream in model.aggregation for name in found[stream])
