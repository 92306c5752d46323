"""The kinds of sources that `prepare` reads: their arguments, and how they become samples."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from skeletr.datasets import (
    ava,
    ava_skeletons,
    multi_person,
    ntu,
    own_videos,
    pyskl,
    recordings,
    volleyball,
)
from skeletr.datasets.clip import DatasetError
from skeletr.datasets.sample import SPLITS, Sample, hold_out
from skeletr.pipeline import Progress
from skeletr.pose import FRONTENDS, USUAL_PEOPLE, create_frontend

_NOTES_SHOWN = 10


@dataclass
class Report:
    """What to tell: a line while it runs, then what was left out, what failed, what is there."""

    failed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    summary: str = ""
    _shown: float = 0.0

    def line(self, text: str) -> None:
        """Replace the line on a terminal, a few times a second; silent elsewhere."""
        if sys.stderr.isatty() and time.monotonic() - self._shown > 0.2:
            self._shown = time.monotonic()
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the line, then tell the rest."""
        if self._shown:
            print(file=sys.stderr)
        for note in self.notes[:_NOTES_SHOWN]:
            print(note, file=sys.stderr)
        if len(self.notes) > _NOTES_SHOWN:
            print(f"... and {len(self.notes) - _NOTES_SHOWN} more notes", file=sys.stderr)
        for problem in self.failed:
            print(f"failed: {problem}", file=sys.stderr)
        if self.summary:
            print(self.summary)


@dataclass(frozen=True)
class Kind:
    """help: in a sentence. layout: of its source. add: its own arguments. samples: reads it."""

    help: str
    layout: str
    add: Callable[[argparse.ArgumentParser], None]
    samples: Callable[[argparse.Namespace, Report], Iterator[Sample]]


def _add_videos(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pose", choices=FRONTENDS, default=FRONTENDS[0])
    parser.add_argument("--max-people", type=int, default=USUAL_PEOPLE)
    parser.add_argument("--work", type=Path, help="keeps the recordings; SOURCE/.skeletr")
    _add_split(parser)


def _add_split(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--split-file", type=Path, help="csv of name,split; SOURCE/split.csv")
    for name, share in (
        ("--val-share", recordings.VAL_SHARE),
        ("--test-share", recordings.TEST_SHARE),
    ):
        parser.add_argument(name, type=_share, default=share, help="without a split file")


def _videos(args: argparse.Namespace, report: Report) -> Iterator[Sample]:
    work = (args.work or args.source / own_videos.WORK_FOLDER) / f"{args.pose}-{args.max_people}"
    videos = own_videos.find_videos(args.source, work)
    splits = recordings.assign_splits([video.name for video in videos], args.source, **_split(args))

    def progress(index: int, video: own_videos.Video) -> Progress:
        return lambda done, _: report.line(f"{index + 1}/{len(videos)} {video.name} {done:4.0%}")

    def told(outcomes: Iterator[own_videos.Outcome]) -> Iterator[own_videos.Outcome]:
        for outcome in outcomes:
            report.notes.extend(outcome.remarks)
            if outcome.problem:
                report.failed.append(outcome.problem)
            yield outcome

    outcomes = own_videos.record_videos(
        videos, lambda: create_frontend(args.pose, max_people=args.max_people), progress
    )
    yield from own_videos.read_videos(told(outcomes), splits)


def _recordings(args: argparse.Namespace, report: Report) -> Iterator[Sample]:
    return recordings.read_recordings(args.source, **_split(args), note=report.notes.append)


def _split(args: argparse.Namespace) -> dict[str, object]:
    return {"split_file": args.split_file, "val": args.val_share, "test": args.test_share}


def _add_pyskl(parser: argparse.ArgumentParser) -> None:
    for split in SPLITS:
        parser.add_argument(
            f"--{split}", metavar="SPLIT", help=f"what the file calls the {split} part"
        )
    parser.add_argument("--labels", type=Path, help="names: one per line, or JSON")
    parser.add_argument("--class-map", type=Path, help="JSON {old name: new name or null}")
    parser.add_argument("--kpfiles", type=Path, help="folder of Kinetics' keypoint files")
    parser.add_argument("--min-box-score", type=float, default=0.5)
    _add_fps(parser)
    _add_val_share(parser)


def _pyskl(args: argparse.Namespace, report: Report) -> Iterator[Sample]:
    samples = pyskl.read_pyskl(
        args.source,
        _given(args),
        names=pyskl.class_names(args.labels, args.class_map),
        kpfiles=args.kpfiles,
        fps=args.fps,
        min_box_score=args.min_box_score,
        note=report.notes.append,
    )
    return hold_out(samples, args.val_share)


def _add_ntu(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--protocol", choices=("xsub", "xview", "xset"), default="xsub")
    parser.add_argument("--mutual-only", action="store_true", help="NTU-Inter: two people")
    parser.add_argument("--classes", type=int, choices=(60, 120), default=120)
    parser.add_argument("--ignore", type=Path, help="list of names of clips to leave out")
    _add_val_share(parser)


def _ntu(args: argparse.Namespace, report: Report) -> Iterator[Sample]:
    samples = ntu.read_ntu(
        args.source,
        args.protocol,
        mutual_only=args.mutual_only,
        classes=args.classes,
        ignore=args.ignore,
        note=report.notes.append,
    )
    return hold_out(samples, args.val_share)


def _add_ava(parser: argparse.ArgumentParser) -> None:
    for split in SPLITS:
        parser.add_argument(
            f"--{split}", type=Path, metavar="CSV", help=f"labels of the {split} part"
        )
    parser.add_argument("--labels", type=Path, help="list of actions, .pbtxt or csv")
    parser.add_argument("--excluded", type=Path, nargs="*", default=[], help="csv of seconds")
    parser.add_argument("--seconds", type=_positive, default=ava.AvaConfig.seconds, help="5 or 10")
    parser.add_argument(
        "--start", type=float, default=ava.AvaConfig.start, help="AVA's time of frame 0"
    )
    parser.add_argument("--min-iou", type=_share, default=ava.AvaConfig.min_iou)
    _add_fps(parser)
    _add_val_share(parser)


def _ava(args: argparse.Namespace, report: Report) -> Iterator[Sample]:
    samples = ava.read_ava(
        args.source,
        _given(args),
        labels=args.labels,
        excluded=args.excluded,
        config=ava.AvaConfig(args.seconds, args.fps, args.start, args.min_iou),
        note=report.notes.append,
    )
    return hold_out(samples, args.val_share)


def _volleyball(args: argparse.Namespace, report: Report) -> Iterator[Sample]:
    return volleyball.read_volleyball(args.source, fps=args.fps, note=report.notes.append)


def _add_nothing(_: argparse.ArgumentParser) -> None:
    pass


def _multi_person(args: argparse.Namespace, report: Report) -> Iterator[Sample]:
    return multi_person.read_multi_person(args.source)


def _given(args: argparse.Namespace) -> dict:
    """What was given for each split; raises `DatasetError` where nothing was."""
    given = {split: getattr(args, split) for split in SPLITS if getattr(args, split)}
    if not given:
        raise DatasetError("give at least one of --train, --val and --test")
    return given


def _add_val_share(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--val-share",
        type=_share,
        default=0.0,
        help="of the training part, whole people or films where they are known",
    )


def _add_fps(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fps", type=_positive, default=30.0, help="frames per second")


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share, expected 0 up to below 1")
    return value


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


KINDS = {
    name: Kind(help, layout or "", add, samples)
    for name, help, layout, add, samples in (
        ("videos", "one's own videos", own_videos.__doc__, _add_videos, _videos),
        ("recordings", "saved recordings", recordings.__doc__, _add_split, _recordings),
        ("pyskl", "PYSKL: NTU in 2D, Kinetics, Posetics, ...", pyskl.__doc__, _add_pyskl, _pyskl),
        ("ntu", "NTU RGB+D", ntu.__doc__, _add_ntu, _ntu),
        ("ava", "AVA", f"{ava.__doc__}\n{ava_skeletons.__doc__}", _add_ava, _ava),
        ("volleyball", "Volleyball", volleyball.__doc__, _add_fps, _volleyball),
        (
            "multi_person",
            "the benchmark of docs/PAPER.md, from the small sets",
            multi_person.__doc__,
            _add_nothing,
            _multi_person,
        ),
    )
}
