"""The streaming recogniser: people in a frame go in, labels and attention come out.

A file is recognised by feeding it the same way as a webcam. Stage 1 of the network runs once per
short sequence; its tokens are kept while the sequence is in the window.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from skeletr.actions import (
    ActionLog,
    Actions,
    Attention,
    Prediction,
    Status,
    decide,
    nothing,
)
from skeletr.checkpoint import Checkpoint
from skeletr.coordinates import embed, normalise
from skeletr.devices import PRECISIONS, dtype_of
from skeletr.evidence import MOST_SEQUENCES, Evidence, EvidenceKeeper
from skeletr.history import Entry, History
from skeletr.model.fused import for_inference
from skeletr.recording import Frame, Person, Recording
from skeletr.scoring import Scorer, Taught, in_company, nobody_there
from skeletr.sequences import Sequences, horizon, sequences_at, window_index


@dataclass(frozen=True)
class RecognizerConfig:
    """threshold: below this probability the answer is "unknown"; None = the checkpoint's own.

    recent: key frames over which the label shown live is averaged.
    min_joints: joints that must be seen on average; min_observed: share of a sequence's frames in
    which the person must be seen; below either, no label is given and the status says why.
    history: seconds of labels to keep, None for all. attention_kept: windows of attention to keep;
    with 0 it is not worked out at all, which is faster.
    keep_tokens: keep what `Recognizer.evidence` gives, about 11 KB per short sequence.
    precision: "fp32", "bf16" or "auto", see `skeletr.devices.dtype_of`.
    """

    threshold: float | None = None
    recent: int = 2
    min_joints: float = 5.0
    min_observed: float = 0.3
    history: float | None = None
    attention_kept: int = 600
    keep_tokens: bool = False
    precision: str = "auto"

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is {self.threshold}, expected between 0 and 1")
        if self.recent < 1 or self.attention_kept < 0:
            raise ValueError("recent must be at least 1, attention_kept at least 0")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is {self.precision!r}, expected one of {PRECISIONS}")


@dataclass(frozen=True)
class _Window:
    """Sequences that still matter, with their stage-1 tokens (M', L, d) and log entries."""

    sequences: Sequences
    tokens: torch.Tensor
    entries: list[Entry]

    def take(self, index: np.ndarray) -> _Window:
        entries = [self.entries[i] for i in index]
        return _Window(self.sequences.take(index), self.tokens[torch.as_tensor(index)], entries)


class Recognizer:
    """One stream of people. The model may be shared between recognisers; nothing else is.

    Attributes:
        threshold: below this probability the answer is "unknown". attends: whether attention is
            worked out. Both may be changed between two steps; nothing is forgotten.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        config: RecognizerConfig = RecognizerConfig(),
        taught: Taught | None = None,
    ) -> None:
        """taught: more labels, see `skeletr.teach`.

        Raises `ValueError` where one of them is a label of the checkpoint already, or where the
        checkpoint is not made for streams.
        """
        self._scorer = Scorer(checkpoint, taught)
        self.labels = self._scorer.labels
        self.config = config
        self._model = for_inference(checkpoint.model, dtype_of(config.precision))
        self._sequences = checkpoint.sequences
        if self._sequences.linking != "iou":
            raise ValueError("the checkpoint takes whole recordings, not a stream; evaluate it")
        if (checkpoint.task or {}).get("kind") == "multilabel":
            raise ValueError(
                "the checkpoint gives several labels at once, this program shows one; evaluate it"
            )
        self._minor = (checkpoint.rests, checkpoint.passing)
        self._calibrated = checkpoint.calibration.threshold
        self.threshold = self.threshold_of(config.threshold)
        self.attends = config.attention_kept > 0
        self.reset()

    def threshold_of(self, chosen: float | None) -> float:
        """A threshold that was chosen, or that of the checkpoint where none was."""
        return self._calibrated if chosen is None else chosen

    def reset(self) -> None:
        """Forget everything: the next step may be of another stream."""
        self._frames: deque[Frame] = deque()
        self._image_size = (1, 1)
        self._next_key: float | None = None
        self._key_time: float | None = None
        self._peopled: float | None = None  # the newest key frame with somebody in it
        self._seen: float | None = None  # the newest frame with somebody in it
        self._window: _Window | None = None
        self._attention: Attention | None = None
        self._history = History(self.config.history, self.config.attention_kept)
        self._keeper = (
            EvidenceKeeper(self._sequences, self.config.history, MOST_SEQUENCES)
            if self.config.keep_tokens
            else None
        )

    def step(self, people: Sequence[Person], time: float, image_size: tuple[int, int]) -> Actions:
        """Take the tracked people of one frame.

        Args:
            time: seconds; must be later than in the step before.
            image_size: (width, height) of the frame in pixels; the same throughout a stream.

        Raises:
            ValueError: time did not increase, the size changed, or two people have the same id.
        """
        self._check_step(people, image_size)
        previous = self._frames[-1].time if self._frames else time
        if self._frames and time <= previous:
            raise ValueError(f"time went from {previous} to {time}, must increase")
        self._image_size = image_size
        self._frames.append(Frame(time, tuple(people)))
        self._history.saw(people, time)
        self._seen = time if people else self._seen
        if self._next_key is None:
            self._next_key = time
        fresh = False
        while time >= horizon(self._next_key, self._sequences):
            self._recognise(self._next_key)
            self._next_key = self._after(self._next_key, previous, time)
            fresh = True
        self._forget(self._next_key)
        return self._actions(people, time, fresh)

    def _check_step(self, people: Sequence[Person], image_size: tuple[int, int]) -> None:
        if self._frames and tuple(image_size) != tuple(self._image_size):
            raise ValueError(
                f"the picture's size went from {self._image_size} to {image_size}; call reset "
                "where another stream begins"
            )
        ids = [p.id for p in people]
        if len(set(ids)) < len(ids):
            raise ValueError(
                f"people of one frame have the ids {ids}, expected different ones: pass them "
                "through a Tracker, or give them ids"
            )

    def finish(self) -> ActionLog:
        """End of the stream: recognise the last key frames, whose sequences end early."""
        if self._frames and self._next_key is not None:
            while self._next_key <= self._frames[-1].time + 1e-6:
                self._recognise(self._next_key)
                self._next_key += self._sequences.interval
        return self.log()

    def log(self) -> ActionLog:
        """Everything recognised so far, scores averaged over all windows that hold a sequence."""
        interval = self._sequences.interval
        return self._history.log(self.labels, self.threshold, interval, *self._minor)

    def evidence(self) -> Evidence | None:
        """What `skeletr.explore` needs to ask "what if"; None before the first key frame.

        Raises:
            ValueError: made without `keep_tokens`.
        """
        if self._keeper is None:
            raise ValueError("this recogniser keeps no tokens; expected keep_tokens=True")
        return self._keeper.evidence(self.log(), self.threshold)

    def _after(self, key: float, previous: float, time: float) -> float:
        """The key frame after `key`; in a long pause between two frames those that are empty,
        and whose window is empty, are skipped."""
        interval, gap = self._sequences.interval, self._sequences.max_gap
        pause_over = time - gap
        if previous + self._sequences.window + gap < key < pause_over - interval:
            return key + interval * int((pause_over - key) / interval)
        return key + interval

    def _forget(self, next_key: float) -> None:
        """Keep the frames that the next key frame looks at."""
        reach = self._sequences.before + self._sequences.max_gap + 1e-3
        while self._frames and self._frames[0].time < next_key - reach:
            if len(self._frames) == 1:  # the newest stays, to know that time increases
                break
            self._frames.popleft()

    @torch.inference_mode()
    def _recognise(self, key: float) -> None:
        """One key frame: stage 1 for its new sequences, stage 2 for the whole window."""
        buffer = Recording.from_frames(self._frames, self._image_size)
        new = sequences_at(buffer, key, self._sequences)
        self._key_time = key
        self._peopled = key if len(new) else self._peopled
        entries = [
            self._history.add(int(p), key, self._judge(new, i)) for i, p in enumerate(new.person)
        ]
        usable = np.array([e.status is Status.OK for e in entries], dtype=bool)
        tokens = self._extend(new.take(usable), [e for e in entries if e.status is Status.OK], key)
        if self._keeper is not None:
            self._keeper.add(key, new, [e.status for e in entries], tokens)
        window = self._window
        if window is None or not len(window.sequences):
            self._attention = None
            self._history.add_scene(key, None, Status.NOBODY if not entries else entries[0].status)
            return
        self._relate(window, key)

    def _judge(self, new: Sequences, index: int) -> Status:
        """Whether enough of a sequence is seen to be recognised."""
        seen = (new.keypoints[index, ..., 2] > 0).sum(axis=1)  # joints per frame
        if new.observed[index] < self.config.min_observed:
            return Status.NOT_ENOUGH_FRAMES
        joints = seen.sum() / max((seen > 0).sum(), 1)
        return Status.OK if joints >= self.config.min_joints else Status.TOO_FEW_JOINTS

    def _extend(self, new: Sequences, entries: list[Entry], key: float) -> torch.Tensor:
        """Add new sequences to the window, let those that left it go; the new ones' tokens."""
        device = next(self._model.parameters()).device
        x = torch.from_numpy(normalise(new, self._sequences)).to(device)
        tokens = self._model.tokens(x)
        added = _Window(new, tokens, entries)
        window = self._window
        if window is not None:
            added = _Window(
                Sequences.concatenate([window.sequences, new]),
                torch.cat([window.tokens, added.tokens]),
                window.entries + entries,
            )
        self._window = added.take(window_index(added.sequences, key, self._sequences))
        return tokens

    def _relate(self, window: _Window, key: float) -> None:
        """Stage 2 over the window: instance and scene probabilities, and attention."""
        device = window.tokens.device
        embedding = torch.from_numpy(embed(window.sequences, key, self._sequences)).to(device)
        mask = torch.ones(1, len(window.entries), dtype=torch.bool, device=device)
        output = self._model.relate(window.tokens[None], embedding[None], mask, self.attends)
        alone = not in_company(window.sequences)
        people = self._scorer.people(output, alone, window.tokens)
        for entry, scores in zip(window.entries, people, strict=True):
            entry.add(scores)
        if nobody_there(key, self._peopled, self._sequences.interval):
            self._history.add_scene(key, None, Status.NOBODY)
        else:
            self._history.add_scene(key, self._scorer.scene(output, alone, people), Status.OK)
        self._attention = None
        if output.attention is not None:  # not every way of relating sequences attends
            self._attention = sequence_attention(output.attention, window.sequences)
            self._history.add_attention(key, self._attention)

    def _actions(self, people: Sequence[Person], time: float, fresh: bool) -> Actions:
        since = None
        if self._key_time is not None:
            since = self._key_time - (self.config.recent - 0.5) * self._sequences.interval
        return Actions(
            time=time,
            key_time=self._key_time,
            people={p.id: self._current(p, since) for p in people},
            scene=self._scene(people, time),
            attention=self._attention,
            fresh=fresh,
        )

    def _current(self, person: Person, since: float | None) -> Prediction:
        """The label to show now: the mean over the person's last few sequences."""
        entries = [] if since is None else self._history.recent(person.id, since)
        scores = [e.scores for e in entries if e.status is Status.OK]
        if scores:
            return decide(np.mean(scores, axis=0), self.labels, self.threshold)
        if (person.keypoints[:, 2] > 0).sum() < self.config.min_joints:
            return nothing(Status.TOO_FEW_JOINTS, self.labels)
        return nothing(entries[-1].status if entries else Status.NOT_ENOUGH_FRAMES, self.labels)

    def _scene(self, people: Sequence[Person], time: float) -> Prediction:
        scene = self._history.scene
        # Not at the next key frame only: an empty room is told at once, one bad frame is not.
        gone = self._seen is None or time - self._seen > self._sequences.max_gap
        if not gone and scene and scene[-1].status is Status.OK:
            return decide(scene[-1].scores, self.labels, self.threshold)
        return nothing(Status.NOT_ENOUGH_FRAMES if people else Status.NOBODY, self.labels)


def sequence_attention(layers: Sequence[torch.Tensor], sequences: Sequences) -> Attention:
    """Token attention of one scene -> attention between sequences, by person and time.

    Args:
        layers: per layer (1, heads, M'*L, M'*L).
    """
    count = len(sequences)
    length = layers[0].shape[-1] // count
    # Layer by layer: all of them in one piece would be megabytes of new memory at each key frame.
    grouped = (layer[0].view(-1, count, length, count, length) for layer in layers)
    reduced = torch.stack([g.sum(dim=-1).mean(dim=2) for g in grouped]).cpu().numpy()
    order = np.lexsort((sequences.times, sequences.person))
    return Attention(
        reduced[:, :, order][..., order], sequences.times[order], sequences.person[order]
    )
