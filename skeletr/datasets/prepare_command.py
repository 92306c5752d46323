"""python -m skeletr prepare: one's own videos, recordings or a public data set -> a store."""

from __future__ import annotations

import argparse
from pathlib import Path

from skeletr.datasets.clip import DatasetError
from skeletr.datasets.prepare_kinds import KINDS, Report
from skeletr.datasets.store import RecordingStore, write_store
from skeletr.pose import PoseError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `prepare`: a parser per kind of source."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    for name, kind in KINDS.items():
        sub = kinds.add_parser(
            name,
            help=kind.help,
            description=kind.layout,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.add_argument("source", type=Path, metavar="SOURCE")
        sub.add_argument("--out", type=Path, required=True, metavar="STORE", help="a new folder")
        sub.add_argument("--overwrite", action="store_true", help="replace a store that is there")
        kind.add(sub)


def run(args: argparse.Namespace) -> int:
    """Write the store; 1 if it could not be written, or if a video could not be used."""
    report = Report()
    try:
        samples = KINDS[args.kind].samples(args, report)
        write_store(
            args.out, samples, lambda n: report.line(f"{n} samples"), overwrite=args.overwrite
        )
        report.summary = _summary(RecordingStore.open(args.out))
    except (DatasetError, PoseError, OSError) as error:
        report.failed.append(str(error))
    finally:
        report.close()
    return 1 if report.failed else 0


def _summary(store: RecordingStore) -> str:
    splits = ", ".join(f"{len(index)} {name}" for name, index in store.splits.items())
    return f"{store.folder}: {len(store)} samples ({splits}), {len(store.labels)} labels"
