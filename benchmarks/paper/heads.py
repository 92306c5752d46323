"""The eight heads of Fig. 5 on a real SBU handshake: which one follows a person, which links two.

    python -m benchmarks.paper.heads [--checkpoint FOLDER] [--data DIR] [--out FILE.png]

Named by `skeletr.heads`, not by eye: the head that follows one person has the largest share of its
attention within the person over time, the one that links the two the largest share across people
at about the same time, both in units of uniform attention. Shown is the layer in which the weaker
of the two is strongest, and of the handshakes of SBU's test pairs the one in which it is; what was
measured on the others is printed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from skeletr.actions import Attention
from skeletr.batch import collate
from skeletr.checkpoint import DEFAULT_CHECKPOINT, Checkpoint, CheckpointError
from skeletr.coordinates import model_input
from skeletr.datasets import DatasetError, load_clips
from skeletr.datasets.archives import DATA_VARIABLE, data_root
from skeletr.evaluation.canvas import blank, paste, text
from skeletr.evaluation.figures import write_png
from skeletr.evaluation.protocol import clip_recording, consecutive
from skeletr.heads import MORE_THAN_UNIFORM, HeadCharacter, head_character
from skeletr.overlay.palette import Color, person_color
from skeletr.overlay.shapes import draw_skeleton
from skeletr.recording import Recording
from skeletr.sequences import Sequences
from skeletr.token_attention import window_attention

_INK: Color = (38, 42, 50)
_SOFT: Color = (112, 118, 128)
_FOLLOWS: Color = (0, 114, 178)
_LINKS: Color = (213, 94, 0)
_DARK = np.array((8, 48, 107))
_SIDE = 180  # pixels of a map
_STEP_X, _STEP_Y = 262, 262
_LEFT, _TOP, _STRIP = 24, 66, 170


@dataclass(frozen=True)
class Named:
    """The heads of one layer, and which of them do most of what Fig. 5 shows."""

    heads: tuple[HeadCharacter, ...]
    follows: HeadCharacter
    links: HeadCharacter

    @property
    def clarity(self) -> float:
        """How often the weaker of the two does its part, in units of uniform attention."""
        return min(self.follows.within_ratio, self.links.linked_ratio)

    def sentences(self) -> list[str]:
        """What was measured of the two."""
        both = (
            (self.follows, "within one person over time", self.follows.within),
            (self.links, "to the other person at the same time", self.links.linked),
        )
        ratios = (self.follows.within_ratio, self.links.linked_ratio)
        return [
            f"head {h.head + 1}: {100 * share:.0f} % of its attention {what}, "
            f"{ratio:.2f} times that of uniform attention"
            f"{'' if ratio >= MORE_THAN_UNIFORM else ' (too little to call it a habit)'}"
            for (h, what, share), ratio in zip(both, ratios, strict=True)
        ]


def name_heads(attention: Attention) -> Named:
    """The layer in which one head follows and another links people most clearly."""
    found = head_character(attention)
    layers = [tuple(h for h in found if h.layer == i) for i in range(len(attention.weights))]
    return max((_named(heads) for heads in layers), key=lambda n: n.clarity)


def _named(heads: tuple[HeadCharacter, ...]) -> Named:
    follows = max(heads, key=lambda h: h.within_ratio)
    others = [h for h in heads if h is not follows]
    return Named(heads, follows, max(others, key=lambda h: h.linked_ratio))


@dataclass(frozen=True)
class Handshake:
    """Two people who shake hands, who looks at whom in the newest window, and its named heads."""

    recording: Recording
    attention: Attention
    named: Named


def handshakes(data: Path, checkpoint: Checkpoint) -> list[Handshake]:
    """Those of SBU's test pairs, the one with the clearest heads first.

    Raises:
        DatasetError: there is none.
    """
    clips = [
        c for c in load_clips(data, ["sbu"]) if c.split == "test" and c.original == "shake hands"
    ]
    if not clips:
        raise DatasetError(f"SBU below {data} has no handshake among its test pairs")
    found = []
    for clip in clips:
        recording = clip_recording(clip)
        attention = attend(consecutive(recording, checkpoint.sequences)[0], checkpoint)
        found.append(Handshake(recording, attention, name_heads(attention)))
    return sorted(found, key=lambda h: -h.named.clarity)


@torch.inference_mode()
def attend(window: Sequences, checkpoint: Checkpoint) -> Attention:
    """Who looks at whom in a window."""
    key = float(window.times.max())
    batch = collate([model_input(window, key, checkpoint.sequences)], checkpoint.sequences.frames)
    layers = checkpoint.model.eval()(batch, need_attention=True).attention
    if layers is None:
        raise DatasetError("the checkpoint relates sequences without attention: no heads to show")
    return window_attention(key, layers, window, checkpoint).sequences


def picture(shown: Handshake) -> np.ndarray:
    """The people at the key frames, and a map of each head: (H, W, 3) uint8 RGB."""
    recording, attention, named = shown.recording, shown.attention, shown.named
    columns = (len(named.heads) + 1) // 2
    width = max(2 * _LEFT + columns * _STEP_X, 1000)
    out = blank(_TOP + _STRIP + 2 * _STEP_Y + 92, width)
    layer = named.heads[0].layer
    title = f"A handshake of SBU ({recording.source}): the heads of layer {layer + 1}"
    paste(out, text(title, 18, _INK), _LEFT, 30, "left")
    _strip(out, recording, np.unique(attention.times))
    for number, head in enumerate(named.heads):
        x = _LEFT + 46 + number % columns * _STEP_X
        y = _TOP + _STRIP + 40 + number // columns * _STEP_Y
        _map(out, attention, head, named, (x, y))
    colors = (_FOLLOWS, _LINKS)
    for line, (sentence, color) in enumerate(zip(named.sentences(), colors, strict=True)):
        y = out.shape[0] - 48 + 24 * line
        paste(out, text(sentence, 15, color), _LEFT, y, "left")
    return out


def _strip(out: np.ndarray, recording: Recording, times: np.ndarray) -> None:
    """The two at each key frame."""
    width, height = recording.image_size
    scale = min((_STRIP - 30) / height, (out.shape[1] - 2 * _LEFT) / len(times) / width)
    for number, time in enumerate(times):
        frame = int(np.abs(recording.frame_times - time).argmin())
        left = _LEFT + number * round(width * scale)
        for row in range(*recording.rows(frame).indices(len(recording.frame))):
            joints = recording.keypoints[row] * (scale, scale, 1) + (left, _TOP, 0)
            joints[recording.keypoints[row, :, 2] == 0] = 0
            draw_skeleton(out, joints, person_color(int(recording.person[row]) + 1), 0.0)
        label = text(f"{time:.1f} s", 13, _SOFT)
        paste(out, label, left + round(width * scale / 2), _TOP + _STRIP - 18)


def _map(
    out: np.ndarray,
    attention: Attention,
    head: HeadCharacter,
    named: Named,
    corner: tuple[int, int],
) -> None:
    """Rows look, columns are looked at: by person, then by time."""
    weights = attention.weights[head.layer, head.head]
    x, y = corner
    cell = max(4, _SIDE // len(weights))
    most = max(float(weights.max()), 1e-6)
    for (row, column), share in np.ndenumerate(weights):
        shade = 255 + (_DARK - 255) * float(share) / most
        top, left = y + row * cell, x + column * cell
        out[top : top + cell - 1, left : left + cell - 1] = shade.round()
    color = {named.follows.head: _FOLLOWS, named.links.head: _LINKS}.get(head.head, _SOFT)
    if color != _SOFT:
        _frame(out, (x, y), cell * len(weights), color)
    paste(out, text(f"head {head.head + 1}: {head.label}", 13, color), x, y - 14, "left")
    for row, person in enumerate(attention.person):
        mark = text(f"{attention.times[row]:.1f}", 10, person_color(int(person) + 1))
        paste(out, mark, x - 6, y + row * cell + cell // 2, "right")


def _frame(out: np.ndarray, corner: tuple[int, int], side: int, color: Color) -> None:
    x, y = corner
    for gap in (3, 4):
        out[[y - gap, y + side + gap - 1], x - gap : x + side + gap] = color
        out[y - gap : y + side + gap, [x - gap, x + side + gap - 1]] = color


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the picture and print what was measured; 1 where something is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paper.heads")
    parser.add_argument("--checkpoint", default=DEFAULT_CHECKPOINT)
    parser.add_argument("--data", help=f"folder with the data sets (default: ${DATA_VARIABLE})")
    parser.add_argument("--out", type=Path, default=Path("docs/images/paper-heads.png"))
    args = parser.parse_args(arguments)
    try:
        checkpoint = Checkpoint.from_pretrained(args.checkpoint)
        found = handshakes(data_root(args.data), checkpoint)
    except (CheckpointError, DatasetError) as error:
        print(f"heads: {error}", file=sys.stderr)
        return 1
    write_png(args.out, picture(found[0]))
    print(f"{args.out}: {found[0].recording.source}")
    for shake in found:
        print(f"{shake.recording.source}, layer {shake.named.heads[0].layer + 1}")
        follows, links = shake.named.sentences()
        print(f"  follows one person: {follows}\n  links the two: {links}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
