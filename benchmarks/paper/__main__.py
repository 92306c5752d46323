"""python -m benchmarks.paper [TABLE ...]: run cells of the paper's tables, or write what they say.

    python -m benchmarks.paper                      everything: one night on two cores
    python -m benchmarks.paper 4 --seeds 0          a table, one seed
    python -m benchmarks.paper --starts             only what others start from; then, side by side,
    python -m benchmarks.paper --threads 1 --part 1/2      half of the rest
    python -m benchmarks.paper --threads 1 --part 2/2      the other half
    python -m benchmarks.paper --list               what there is to run, and what is finished
    python -m benchmarks.paper --write docs/PAPER.md --pictures docs/images   from what is finished

Killed at any moment, the same command goes on: a finished cell is a JSON file in --results, one
that is half done goes on from its last saved step.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.paper.cells import SEEDS, SOURCE, TABLES, Cell, chosen
from benchmarks.paper.figures import load_results
from benchmarks.paper.recipe import Places, Schedule
from benchmarks.paper.report import blocks, fill
from benchmarks.paper.run import Suite, run_cells
from benchmarks.paper.store import make_benchmark
from skeletr.checkpoint import CheckpointError
from skeletr.datasets import DatasetError
from skeletr.datasets.archives import DATA_VARIABLE, data_root
from skeletr.files import atomic_path
from skeletr.training import ConfigError, TrainingError
from skeletr.training.state import StateError

_RESULTS = Path(__file__).parent / "results"
_START = Path(__file__).parent / "start"
_PROBLEMS = (CheckpointError, ConfigError, DatasetError, OSError, StateError, TrainingError)


def main(arguments: list[str] | None = None) -> int:
    """Run or write; 1 where something is missing or broken."""
    args = _parser().parse_args(arguments)
    try:
        if args.write or args.pictures:
            _write(args)
        else:
            _run(args)
    except (*_PROBLEMS, ValueError) as error:
        print(f"paper: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("paper: stopped; the same command goes on", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.paper",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "tables", nargs="*", type=int, metavar="TABLE", help="4 5 6 7; default: all"
    )
    parser.add_argument("--data", help=f"folder with the data sets (default: ${DATA_VARIABLE})")
    parser.add_argument("--seeds", nargs="+", type=int, choices=SEEDS, default=[*SEEDS])
    parser.add_argument(
        "--cells", nargs="+", default=[], metavar="PATTERN", help="such as 'people/skeletr/*'"
    )
    parser.add_argument("--starts", action="store_true", help="only what others start from")
    parser.add_argument(
        "--part", type=_part, default=(1, 1), metavar="K/N", help="every Nth cell, from the Kth on"
    )
    parser.add_argument("--budget", type=float, default=0.0, metavar="MINUTES")
    parser.add_argument("--list", action="store_true", help="show the cells and run none")
    parser.add_argument("--steps", type=int, default=Schedule.steps, help="of a training")
    parser.add_argument("--scenes", type=int, default=Schedule.scenes, help="of a step")
    parser.add_argument("--threads", type=int, default=0, help="default: all cores")
    parser.add_argument("--store", type=Path, default=Path("stores/multi_person"))
    parser.add_argument("--work", type=Path, default=Path("runs/paper-suite"))
    parser.add_argument("--start", type=Path, default=_START, help="of the weights all start from")
    parser.add_argument("--results", type=Path, default=_RESULTS)
    parser.add_argument("--write", type=Path, metavar="FILE", help="fill the tables of a text")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw the curves and bars")
    return parser


def _run(args: argparse.Namespace) -> None:
    schedule = Schedule(args.steps, args.scenes, threads=args.threads)
    unknown = set(args.tables) - set(TABLES)
    if unknown:
        raise ValueError(f"there is no table {sorted(unknown)}; expected of {[*TABLES]}")
    cells = chosen(args.tables or [*TABLES], args.seeds, args.cells)
    if not cells:
        raise ValueError(f"no cell is called like {args.cells}; see --list")
    if args.list:
        finished = load_results(args.results, schedule.key)
        for cell in cells:
            print(f"{'finished' if cell.name in finished else '':9s} {cell.name}")
        return
    data = data_root(args.data)
    benchmark = make_benchmark(args.store, data)
    suite = Suite(
        Places(data, args.store, args.work, args.start), schedule, args.results, benchmark
    )
    run_cells(suite, _mine(suite, cells, args), args.budget, _say)


def _mine(suite: Suite, cells: Sequence[Cell], args: argparse.Namespace) -> list[Cell]:
    """The cells of this call. Calls side by side must not train the same start at once."""
    share, of = args.part
    starts = [cell for cell in cells if cell.task == SOURCE]
    if args.starts:
        return starts
    missing = [cell.name for cell in starts if not suite.finished(cell)]
    if of > 1 and missing:
        raise ValueError(f"parts start from {missing}, not there yet; first run it with --starts")
    return [cell for cell in cells if of == 1 or cell.task != SOURCE][share - 1 :: of]


def _part(text: str) -> tuple[int, int]:
    share, of = (int(number) for number in text.split("/"))
    if not 1 <= share <= of:
        raise ValueError(f"the part is {text}, expected K/N with 1 <= K <= N")
    return share, of


def _write(args: argparse.Namespace) -> None:
    results = load_results(args.results, Schedule(args.steps, args.scenes).key)
    if args.write:
        text = fill(args.write.read_text(encoding="utf-8"), blocks(results))
        with atomic_path(args.write) as partial:
            partial.write_text(text, encoding="utf-8")
        print(f"{args.write}: {len(results)} results")
    if args.pictures:
        from benchmarks.paper.charts import draw

        for path in draw(results, args.pictures):
            print(path)


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S', time.gmtime())}Z paper: {text}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
