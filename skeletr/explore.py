"""What if: the same scene without a person or an interval, from the kept stage-1 tokens."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
import torch

from skeletr.actions import ActionLog, Status, Track
from skeletr.changes import Change, compare
from skeletr.checkpoint import Checkpoint
from skeletr.coordinates import embed
from skeletr.devices import dtype_of
from skeletr.evidence import Evidence
from skeletr.history import Entry
from skeletr.known_windows import KnownWindows, Name, WindowScores
from skeletr.model.fused import for_inference
from skeletr.model.skeletr import SkeleTROutput
from skeletr.remainder import Remainder, Remainders, Tokens
from skeletr.scoring import Scorer, Taught, in_company, nobody_there
from skeletr.sequences import window_index
from skeletr.token_attention import WindowAttention, window_attention

__all__ = ["Change", "Explorer", "Interval", "compare"]

Interval = tuple[float, float]
_BATCH = 64  # sequences, of windows related at once
# Sequences of all windows, but for those of one question: with 74 labels and names some 96 MB.
_REMEMBERED = 400_000


class Explorer:
    """Relates the windows of a stream again (stage 2 only); remembers those it has related."""

    def __init__(
        self, checkpoint: Checkpoint, evidence: Evidence, taught: Taught | None = None
    ) -> None:
        """taught: as given to the recogniser that made the evidence."""
        self._checkpoint = checkpoint
        self._evidence = evidence
        self._scorer = Scorer(checkpoint, taught)
        self._model = for_inference(checkpoint.model, dtype_of("auto"))
        self._remainders = Remainders(self._model, checkpoint.sequences, evidence)
        self._known = KnownWindows()

    @property
    def forgotten(self) -> int:
        """Windows that were remembered and are no longer, as there were too many."""
        return self._known.forgotten

    @property
    def remembered(self) -> int:
        """Sequences of all windows that are known."""
        return self._known.sequences

    def reach(self, interval: Interval) -> Interval:
        """From when to when, in seconds, steps may change if that while is left out."""
        window = self._checkpoint.sequences.window
        return interval[0] - window, interval[1] + window

    def without(
        self,
        people: Collection[int] = (),
        interval: Interval | None = None,
        during: Interval | None = None,
    ) -> ActionLog:
        """What would have been recognised without somebody, or without a while.

        Args:
            people: ids to leave out, throughout or within `interval`.
            interval: (start, end) in seconds: short sequences whose key frame lies in it are left
                out, of everybody where no people are named. They reach further: `before` and
                `after` of the `SequenceConfig`.
            during: (start, end) in seconds: only these steps are wanted, all if not given. Time
                grows with them and with who is left; windows that were related before are known
                and take next to none. `benchmarks.what_if` measures both.

        Returns:
            A log without attention (see `attention`) over the key frames of the evidence; people
            left out throughout are not in it.

        Raises:
            ValueError: an interval ends before it starts.
        """
        shown = during or (-np.inf, np.inf)
        removed = self._removed(people, interval)
        kept = ~removed
        # A step's scores are the mean over the windows that hold it, up to the last of them.
        end = _ordered(shown)[1] + self._checkpoint.sequences.window
        keys = [float(k) for k in self._evidence.keys if shown[0] - 1e-6 <= k <= end]
        first = min(keys, default=0.0) - self._checkpoint.sequences.window
        rest = self._remainders.without(removed)
        windows = [(key, self._window(key, rest.usable)) for key in keys]
        self._relate(rest, [w for w in windows if len(w[1])])
        entries = self._entries(kept, first, max(keys, default=-np.inf))
        peopled = self._evidence.sequences.times[kept]
        scene = [self._add(entries, peopled, rest, key, index) for key, index in windows]
        gone = set(people) if interval is None else set()
        return self._log([*entries.items()], scene, gone, (max([shown[0], *keys[:1]]), shown[1]))

    def attention(
        self, time: float, people: Collection[int] = (), interval: Interval | None = None
    ) -> WindowAttention | None:
        """Who looks at whom, down to single tokens, in the window of the key frame nearest to
        `time`; None where nobody is left, or where the model does not attend.

        Args: as of `without`.
        """
        if not len(self._evidence.keys):
            return None
        key = float(self._evidence.keys[np.abs(self._evidence.keys - time).argmin()])
        removed = self._removed(people, interval)
        rest = self._remainders.without(removed)
        index = self._window(key, rest.usable)
        if not len(index):
            return None
        with torch.inference_mode():
            tokens = self._remainders.tokens(rest, index)
            output = self._output(rest, tokens, [(key, index)], need_attention=True)
        if output.attention is None:
            return None
        sequences = rest.sequences.take(index)
        return window_attention(key, output.attention, sequences, self._checkpoint)

    def _removed(self, people: Collection[int], interval: Interval | None) -> np.ndarray:
        """(R,) bool."""
        sequences = self._evidence.sequences
        if not people and interval is None:
            return np.zeros(len(sequences), dtype=bool)
        removed = np.isin(sequences.person, list(people)) if people else np.ones(len(sequences))
        if interval is None:
            return removed.astype(bool)
        start, end = _ordered(interval)
        return removed.astype(bool) & (sequences.times >= start) & (sequences.times <= end)

    def _window(self, key: float, usable: np.ndarray) -> np.ndarray:
        """Indices, among all sequences, of the window of a key frame."""
        sequences = self._evidence.sequences
        config = self._checkpoint.sequences
        times = sequences.times[usable]
        first, last = np.searchsorted(times, [key - config.window, key + 1e-5])
        near = usable[first:last]
        return near[window_index(sequences.take(near), key, config)]

    @torch.inference_mode()
    def _relate(self, rest: Remainder, windows: Sequence[tuple[float, np.ndarray]]) -> None:
        """Make sure that these windows are known: stage 2 for new ones, several at once."""
        named = {_name(*window, rest): window for window in windows}
        missing = [window for name, window in named.items() if name not in self._known]
        self._known.make_room(_REMEMBERED, named, sum(len(index) for _, index in missing))
        if not missing:
            return
        which = np.unique(np.concatenate([index for _, index in missing]))
        tokens = self._remainders.tokens(rest, which)
        for part in _alike(missing):
            output = self._output(rest, tokens, part)
            for n, (key, index) in enumerate(part):
                scores = self._score(rest, tokens.of(index), output, n, index)
                self._known.keep(_name(key, index, rest), scores)

    def _output(
        self,
        rest: Remainder,
        tokens: Tokens,
        windows: Sequence[tuple[float, np.ndarray]],
        need_attention: bool = False,
    ) -> SkeleTROutput:
        model = self._model
        size = max(len(index) for _, index in windows)
        padded = tokens.rows.new_zeros(len(windows), size, *tokens.rows.shape[1:])
        embedding = torch.zeros(len(windows), size, 5)
        mask = torch.zeros(len(windows), size, dtype=torch.bool)
        for n, (key, index) in enumerate(windows):
            sequences = rest.sequences.take(index)
            padded[n, : len(index)] = tokens.of(index)
            found = embed(sequences, key, self._checkpoint.sequences)
            embedding[n, : len(index)] = torch.from_numpy(found)
            mask[n, : len(index)] = True
        device = next(model.parameters()).device
        return model.relate(
            padded.to(device), embedding.to(device), mask.to(device), need_attention
        )

    def _score(
        self,
        rest: Remainder,
        tokens: torch.Tensor,
        output: SkeleTROutput,
        n: int,
        index: np.ndarray,
    ) -> WindowScores:
        """The n-th scene of a batch, without its padding."""
        one = SkeleTROutput(
            instance=output.instance[n : n + 1, : len(index)],
            scene=output.scene[n : n + 1],
            features=output.features[n : n + 1, : len(index)],
        )
        alone = not in_company(rest.sequences.take(index))
        people = self._scorer.people(one, alone, tokens)
        return WindowScores(people, self._scorer.scene(one, alone, people))

    def _entries(self, kept: np.ndarray, first: float, last: float) -> dict[int, Entry]:
        """Of the sequences between two moments that are kept: others are in no window."""
        times = self._evidence.sequences.times
        start, end = np.searchsorted(times, [first, last + 1e-6])
        return {
            int(i): Entry(float(times[i]), self._evidence.statuses[i])
            for i in start + np.flatnonzero(kept[start:end])
        }

    def _add(
        self,
        entries: dict[int, Entry],
        peopled: np.ndarray,
        rest: Remainder,
        key: float,
        index: np.ndarray,
    ) -> Entry:
        """Give a window's scores to its sequences; the scene of that key frame.

        Args:
            peopled: ascending seconds of the key frames of everybody.
        """
        if not len(index):
            near = np.searchsorted(self._evidence.sequences.times, [key - 1e-6, key + 1e-6])
            here = [entries[i].status for i in range(*near.tolist()) if i in entries]
            return Entry(key, here[0] if here else Status.NOBODY)
        scores = self._known[_name(key, index, rest)]
        for i, row in zip(index, scores.people, strict=True):
            entries[int(i)].add(row)
        until = int(np.searchsorted(peopled, key + 1e-6))
        newest = float(peopled[until - 1]) if until else None
        if nobody_there(key, newest, self._checkpoint.sequences.interval):
            return Entry(key, Status.NOBODY)
        scene = Entry(key, Status.OK)
        scene.add(scores.scene)
        return scene

    def _log(
        self,
        entries: Sequence[tuple[int, Entry]],
        scene: Sequence[Entry],
        gone: set[int],
        shown: Interval,
    ) -> ActionLog:
        """The steps in `shown`; what is before the first key frame was only looked back at."""
        log = self._evidence.log
        tracks: dict[int, list[Entry]] = {p: [] for p in log.people if p not in gone}
        for i, entry in entries:
            person = int(self._evidence.sequences.person[i])
            if person in tracks and _inside(entry, shown):
                tracks[person].append(entry)
        return replace(
            log,
            labels=self._scorer.labels,
            people={p: self._track(found, log.people[p]) for p, found in tracks.items()},
            scene=self._track([e for e in scene if _inside(e, shown)], log.scene),
            attention=(),
        )

    def _track(self, entries: list[Entry], like: Track) -> Track:
        predictions = (e.prediction(self._scorer.labels, self._evidence.threshold) for e in entries)
        return replace(
            like, times=np.array([e.time for e in entries]), predictions=tuple(predictions)
        )


def _alike(windows: Sequence[tuple[float, np.ndarray]]) -> Iterator[list]:
    """Windows of the same size together, as many as are related at once: without padding there is
    no mask, and the form for inference answers."""
    for size, same in groupby(sorted(windows, key=lambda w: len(w[1])), lambda w: len(w[1])):
        found = list(same)
        count = max(1, _BATCH // size)
        yield from (found[start : start + count] for start in range(0, len(found), count))


def _ordered(interval: Interval) -> Interval:
    if not interval[0] <= interval[1]:
        raise ValueError(f"interval is {interval}, expected (start, end) in seconds in order")
    return interval


def _inside(entry: Entry, shown: Interval) -> bool:
    return shown[0] - 1e-6 <= entry.time <= shown[1] + 1e-6


def _name(key: float, index: np.ndarray, rest: Remainder) -> Name:
    """Of a window: its sequences, and who is next to whom in them."""
    return round(key, 6), index.tobytes(), rest.sequences.neighbour[index].tobytes()
