"""How well a few examples teach an action, on real clips of people who did not show it.

    SKELETR_DATA=... python -m benchmarks.teach [--checkpoint FOLDER] [--examples 5] [--repeats 12]

Each repeat draws three actions that are no labels of the checkpoint, each taught by so many clips
of as many people where there are enough. Asked are clips of those actions by other people, and
clips of the checkpoint's own labels, which must not be swallowed. Every clip goes through the live
recogniser once; what each repeat taught is then asked about its kept tokens, which gives the same
scores. A clip's answer is the label with the highest mean over its short sequences.

Which features are looked at, and where a taught label begins, was chosen on other actions (carry,
pull, hammer, tight lace, read watch, dance) with an older checkpoint that had no labels for them.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from skeletr.checkpoint import DEFAULT_CHECKPOINT, Checkpoint
from skeletr.datasets.archives import data_root
from skeletr.datasets.clip import Clip
from skeletr.datasets.load import load_clips
from skeletr.evaluation.live import people_scores, recognise
from skeletr.evaluation.protocol import clip_recording
from skeletr.evidence import Evidence
from skeletr.explore import Explorer
from skeletr.recognizer import Recognizer, RecognizerConfig
from skeletr.taught_background import Background, background
from skeletr.taught_head import TaughtHead
from skeletr.teach import TaughtActions

# Where actions are found that a checkpoint may not know. Names of the data sets' own.
_NEW = {
    "utkinect": ("carry", "pull"),
    "msr_action3d": ("hammer", "tennis swing", "pick up and throw"),
    "florence3d": ("tight lace", "read watch"),
    "kard": ("take umbrella", "catch cap"),
    "cmu_mocap": ("dribble", "dance"),
}
_OWN = ("kard", "utkinect", "florence3d", "msr_action3d", "sbu", "jhmdb")
_CONFIG = RecognizerConfig(min_observed=0.0, min_joints=0.0, attention_kept=0, keep_tokens=True)


@dataclass(frozen=True)
class Round:
    """One repeat. taught: action -> (right, asked, share by leave-one-out).

    Own clips: asked, right before, right after, swallowed, swallowed of those right before.
    """

    taught: dict[str, tuple[int, int, float]]
    own: tuple[int, int, int, int, int]
    took: Counter[str]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--examples", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=12)
    parser.add_argument("--asked", type=int, default=25, help="clips per action, at most")
    parser.add_argument("--own", type=int, default=120, help="clips of the checkpoint's labels")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint = Checkpoint.from_pretrained(args.checkpoint)
    names = dict.fromkeys((*_NEW, *_OWN))
    clips = load_clips(data_root(args.data), names, unlabelled=True)
    new = new_actions(clips, checkpoint, args.examples)
    own = [c for c in clips if c.dataset in _OWN and c.label in checkpoint.labels]
    draw = np.random.default_rng(len(own))  # of twice as many as are asked at once
    own = [own[i] for i in draw.permutation(len(own))[: 2 * args.own]]
    asker, elsewhere = Asker(checkpoint), background(checkpoint)
    rounds = []
    for repeat in range(args.repeats):
        rng = np.random.default_rng(repeat)
        names = [str(n) for n in rng.choice(sorted(new), 3, replace=False)]
        chosen = [own[i] for i in rng.choice(len(own), min(args.own, len(own)), replace=False)]
        divided = {n: divide(new[n], args.examples, args.asked, rng) for n in names}
        rounds.append(measure(asker, divided, chosen, elsewhere))
        show(rounds[-1])
    total(rounds)
    if args.json:
        args.json.write_text(json.dumps([r.__dict__ for r in rounds], indent=2) + "\n")
    return 0


def new_actions(
    clips: Sequence[Clip], checkpoint: Checkpoint, examples: int
) -> dict[str, list[Clip]]:
    """Action -> its clips, for what the checkpoint has no label for and enough clips are there."""
    found: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip.original in _NEW.get(clip.dataset, ()) and clip.label not in checkpoint.labels:
            found[f"{clip.original} ({clip.dataset})"].append(clip)
    return {name: own for name, own in found.items() if len(own) >= 2 * examples}


def divide(
    clips: Sequence[Clip], examples: int, asked: int, rng: np.random.Generator
) -> tuple[list[Clip], list[Clip]]:
    """Examples of different people, and clips of nobody among them."""
    by_group: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        by_group[clip.group].append(clip)
    groups = [str(g) for g in rng.permutation(sorted(by_group))]
    shown: list[Clip] = []
    used: set[str] = set()
    # At least two people are left to ask; where people are few, some show it twice.
    for group in groups[: max(1, min(examples, len(groups) - 2))] * examples:
        left = [c for c in by_group[group] if not any(c is s for s in shown)]
        if left and len(shown) < examples:
            shown.append(left[int(rng.integers(len(left)))])
            used.add(group)
    rest = [c for c in clips if c.group not in used]
    return shown, [rest[i] for i in rng.permutation(len(rest))[:asked]]


class Asker:
    """Gives the answer to a clip, which is recognised once, however often it is asked."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self._recognizer = Recognizer(checkpoint, _CONFIG)
        self._known: dict[tuple[str, str], Evidence | None] = {}

    def answers(self, clips: Sequence[Clip], head: TaughtHead | None) -> list[str]:
        """The answer to each clip."""
        return [self._answer(clip, head) for clip in clips]

    def _answer(self, clip: Clip, head: TaughtHead | None) -> str:
        key = clip.dataset, clip.name
        if key not in self._known:
            recognise(clip_recording(clip), self._recognizer)
            self._known[key] = self._recognizer.evidence()
        evidence = self._known[key]
        if evidence is None:
            return self.checkpoint.labels[0]
        log = Explorer(self.checkpoint, evidence, head).without()
        return log.labels[int(np.argmax(people_scores(log)))]


def measure(
    asker: Asker,
    divided: dict[str, tuple[list[Clip], list[Clip]]],
    own: Sequence[Clip],
    elsewhere: Background,
) -> Round:
    """Teach, then ask everything."""
    actions = TaughtActions()
    for name, (shown, _) in divided.items():
        for clip in shown:
            actions = actions.add(name[:40], clip_recording(clip))
    head = actions.fit(asker.checkpoint, elsewhere)
    tried = head.leave_one_out().accuracy
    taught = {}
    for name, (_, asked) in divided.items():
        answers = asker.answers(asked, head)
        taught[name] = (answers.count(name[:40]), len(answers), tried.get(name[:40], 0.0))
    before, after = asker.answers(own, None), asker.answers(own, head)
    was_right = [b == c.label for b, c in zip(before, own, strict=True)]
    took = [a in head.names for a in after]
    figures = (
        len(own),
        sum(was_right),
        sum(a == c.label for a, c in zip(after, own, strict=True)),
        sum(took),
        sum(t and r for t, r in zip(took, was_right, strict=True)),
    )
    swallowed = Counter(
        f"{clip.label} -> {answer}" for clip, answer, t in zip(own, after, took, strict=True) if t
    )
    return Round(taught, figures, swallowed)


def show(found: Round) -> None:
    """One repeat, as lines."""
    for name, (right, asked, tried) in found.taught.items():
        print(f"  {name:34s} {right:3d} of {asked:3d} right, leave-one-out {tried:.0%}")
    asked, before, after, swallowed, of_right = found.own
    print(f"  own labels: {asked} clips, right {before} -> {after}, swallowed {swallowed},")
    print(f"    of those that were right {of_right}; {found.took.most_common(4)}", flush=True)


def total(rounds: Sequence[Round]) -> None:
    """The table over all repeats: means, and standard deviations between repeats."""
    shares = [
        sum(r for r, _, _ in f.taught.values()) / sum(a for _, a, _ in f.taught.values())
        for f in rounds
    ]
    asked = sum(a for f in rounds for _, a, _ in f.taught.values())
    own = np.array([f.own for f in rounds], dtype=float)
    before, after, swallowed = (own[:, i] / own[:, 0] for i in (1, 2, 3))
    of_right = own[:, 4] / np.maximum(own[:, 1], 1)
    print("| further examples right | own labels right before | after | swallowed | of the right |")
    print("|---|---|---|---|---|")
    print(
        f"| {_mean(shares)} of {asked} | {_mean(before)} of {int(own[:, 0].sum())} | "
        f"{_mean(after)} | {_mean(swallowed)} | {_mean(of_right)} |"
    )


def _mean(shares: Sequence[float] | np.ndarray) -> str:
    return f"{np.mean(shares):.1%} ± {np.std(shares):.1%}"


if __name__ == "__main__":
    raise SystemExit(main())
