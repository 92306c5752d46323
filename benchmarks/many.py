"""What many videos cost: frames and hours of video per hour of this machine, by workers.

    python -m benchmarks.many VIDEO... [--workers 1 2] [--rounds 3] [--hours 10000] [--json FILE]

Every round does all videos once with each number of workers, in turn, with nothing done before.
Starting the workers is part of it, so give several minutes of video. The table is scaled to
--hours of video like these. Run it on an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.machine import machine, told, write_json
from benchmarks.race import middle
from skeletr.checkpoint import DEFAULT_CHECKPOINT
from skeletr.devices import share_cores
from skeletr.many.jobs import Job, find_jobs
from skeletr.many.processes import run_processes
from skeletr.many.worker import Outcome, Settings, VideoWorker
from skeletr.overlay import PICTURES


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("videos", nargs="+", type=Path, metavar="VIDEO_OR_FOLDER")
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hours", type=float, default=10_000)
    parser.add_argument("--draw", action="store_true", help="also write the annotated videos")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    share_cores()
    facts = machine()
    settings = Settings(str(DEFAULT_CHECKPOINT), picture=PICTURES[0] if args.draw else None)
    times: dict[int, list[float]] = {workers: [] for workers in args.workers}
    for _ in range(args.rounds):
        for workers, found in times.items():
            with tempfile.TemporaryDirectory() as out:
                begin = time.perf_counter()
                outcomes = _run(settings, find_jobs(args.videos, Path(out)), workers)
                found.append(time.perf_counter() - begin)
    bad = [outcome.problem for outcome in outcomes if outcome.problem]
    if bad:
        parser.error("; ".join(bad))
    frames, seconds = (sum(getattr(o, name) for o in outcomes) for name in ("frames", "seconds"))
    rows = [_row(workers, found, frames, seconds, args.hours) for workers, found in times.items()]
    print(
        f"{told(facts)}; {len(outcomes)} videos, {seconds:.0f} s, {frames} frames; "
        f"medians of {args.rounds} rounds"
    )
    print(f"| workers | frames/s | spread | times real time | machine hours, {args.hours:g} h |")
    print("|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['workers']} | {row['fps']:.1f} | {row['spread']:.0%} | "
            f"{row['real_time']:.2f} | {row['machine_hours']:,.0f} |"
        )
    if args.json:
        write_json(args.json, facts, rows)
    return 0


def _run(settings: Settings, jobs: Sequence[Job], workers: int) -> list[Outcome]:
    if workers > 1:
        return list(run_processes(settings, jobs, workers, lambda job, share: None))
    with closing(VideoWorker(settings)) as worker:
        return [worker.work(job) for job in jobs]


def _row(
    workers: int, times: Sequence[float], frames: int, seconds: float, hours: float
) -> dict[str, float]:
    took, spread = middle(times)
    return {
        "workers": workers,
        "seconds": took,
        "spread": spread,
        "fps": frames / took,
        "real_time": seconds / took,
        "machine_hours": hours * took / seconds,
    }


if __name__ == "__main__":
    raise SystemExit(main())
