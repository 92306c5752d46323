"""Recognise the people of videos: files, and folders with everything below them.

Per video a folder with annotated.mp4, actions.csv, result.json and recording.npz appears in the
folder of --out, when the video is done. A video that was done before, with the same settings, is
left out, so the same command goes on after it was stopped. A bad video is reported, the others
are done. Exit code 0 only if every video succeeded.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from skeletr.checkpoint import DEFAULT_CHECKPOINT, CheckpointError
from skeletr.devices import DEVICES, DeviceError, is_out_of_memory, share_cores
from skeletr.many.jobs import Job, find_jobs, is_done
from skeletr.many.processes import Progress, WorkersError, run_processes
from skeletr.many.ray_cluster import run_ray
from skeletr.many.report import Report
from skeletr.many.worker import Outcome, Settings, VideoWorker
from skeletr.onnx_engine import ENGINES
from skeletr.overlay import PICTURES
from skeletr.pose import FRONTENDS, USUAL_PEOPLE
from skeletr.pose.base import PoseError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `recognize`."""
    parser.add_argument("videos", nargs="+", type=Path, metavar="VIDEO_OR_FOLDER")
    parser.add_argument("--out", type=Path, default=Path("output"), help="folder for the results")
    parser.add_argument(
        "--checkpoint", type=Path, default=DEFAULT_CHECKPOINT, help="folder, or an ONNX file"
    )
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument(
        "--engine", choices=ENGINES, help="onnx takes what `export` wrote (default: torch)"
    )
    parser.add_argument("--pose", choices=FRONTENDS, default=FRONTENDS[0])
    parser.add_argument("--max-people", type=int, default=USUAL_PEOPLE)
    parser.add_argument("--threshold", type=float, help="probability below which it is unknown")
    parser.add_argument(
        "--picture",
        choices=PICTURES,
        default=PICTURES[0],
        help="what annotated.mp4 shows of people",
    )
    parser.add_argument("--no-video", action="store_true", help="leave out annotated.mp4")
    parser.add_argument("--again", action="store_true", help="also what was done before")
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes that share the videos (default: 1; with --ray one per core)",
    )
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="share the videos over a Ray cluster, whose machines see the same folders; "
        '"local" starts one here',
    )


def run(args: argparse.Namespace) -> int:
    """Recognise every video; a bad one does not stop the rest. 2 where nothing can be begun."""
    settings = Settings(
        checkpoint=str(args.checkpoint),
        device=args.device,
        engine=args.engine,
        pose=args.pose,
        max_people=args.max_people,
        threshold=args.threshold,
        picture=None if args.no_video else args.picture,
    )
    share_cores()
    try:
        if args.workers is not None and args.workers < 1:
            raise ValueError(f"--workers is {args.workers}, expected at least 1")
        found = find_jobs(args.videos, args.out)
        with _ending(), closing(VideoWorker(settings)) as worker:
            jobs = [j for j in found if args.again or not is_done(j, worker.recorded)]
            return _run(args, settings, worker, found, jobs)
    except (CheckpointError, DeviceError, PoseError, ValueError, OSError, WorkersError) as error:
        print(error, file=sys.stderr)
        return 2
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        print(
            "the graphics card has no memory left; free some, or use --device cpu", file=sys.stderr
        )
        return 2


def _run(
    args: argparse.Namespace,
    settings: Settings,
    worker: VideoWorker,
    found: Sequence[Job],
    jobs: Sequence[Job],
) -> int:
    done = [job for job in found if job not in set(jobs)]
    if len(done) == 1:
        print(f"{done[0].video.name} was done before, see {done[0].folder}; --again repeats it")
    elif done:
        print(f"{len(done)} videos were done before, see {args.out}; --again repeats them")
    report = Report(jobs, already=len(done))
    try:
        with closing(_outcomes(args, settings, worker, jobs, report.progress)) as outcomes:
            for outcome in outcomes:
                report.tell(outcome)
    finally:
        report.clear()
    report.end()
    return 1 if report.problems else 0


def _outcomes(
    args: argparse.Namespace,
    settings: Settings,
    worker: VideoWorker,
    jobs: Sequence[Job],
    progress: Progress,
) -> Iterator[Outcome]:
    """By whom the videos are done: by this process, several of them, or a cluster."""
    if args.ray is not None and jobs:
        yield from run_ray(settings, jobs, args.workers, args.ray, progress)
    elif (args.workers or 1) > 1 and len(jobs) > 1:
        worker.close()  # it has shown that the settings can be met
        yield from run_processes(settings, jobs, args.workers, progress)
    else:
        for job in jobs:
            yield worker.work(job, lambda share, job=job: progress(job, share))


@contextmanager
def _ending() -> Iterator[None]:
    """A request to end (SIGTERM) takes back what is half done, as Ctrl-C does."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not in the main thread, where nobody can set it
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
