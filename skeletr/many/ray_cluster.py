"""A Ray cluster shares the videos: the same work as `processes`, on many machines.

Every machine needs the requirements of this program and Ray, and must see the folder in which the
program was started, videos, checkpoint and results under the same paths.
"""

from __future__ import annotations

import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from skeletr.devices import share_cores
from skeletr.many.jobs import Job
from skeletr.many.processes import Progress, WorkersError
from skeletr.many.worker import Outcome, Settings, VideoWorker, keep_to
from skeletr.pipeline import Cancelled

_PATIENCE = 30.0  # seconds for workers to put away what they are at
_KNOCK = 10.0  # seconds for a cluster to answer
_PACE = 1.0  # seconds between two questions for progress


class RayWorker:
    """A `VideoWorker` in the cluster; `share` and `stop` are asked while `work` runs."""

    def __init__(self, settings: Settings, cores: int) -> None:
        self._cores = cores
        self._stop = threading.Event()
        self._share = 0.0
        keep_to(cores)
        self._worker = VideoWorker(settings)

    def ready(self) -> None:
        """Returns once the worker exists."""

    def work(self, job: Job) -> Outcome | None:
        """See `VideoWorker.work`; None where it was stopped."""
        share_cores()  # threads are counted by the thread that asks, and each call may have another
        self._share = 0.0
        try:
            return self._worker.work(job, self._tell, self._stop)
        except Cancelled:
            return None

    def share(self) -> float:
        """How much of the present video is done."""
        return self._share

    def stop(self) -> None:
        """End the present video without a result."""
        self._stop.set()

    def _tell(self, share: float) -> None:
        self._share = share


@dataclass
class _Place:
    """A worker in the cluster, what it was asked last, and the job it is at."""

    actor: Any
    asked: Any
    job: Job | None = None


def run_ray(
    settings: Settings,
    jobs: Sequence[Job],
    workers: int | None,
    address: str,
    progress: Progress,
) -> Iterator[Outcome]:
    """Outcomes in the order in which they come; the largest videos begin.

    Closing the iterator, or an exception such as `KeyboardInterrupt` in it, stops the workers;
    they take back what is half done.

    Args:
        workers: how many, None for one per core of the cluster.
        address: of the cluster as Ray has it, "auto" for one that this machine belongs to,
            "local" for one that is started here.

    Raises:
        WorkersError: Ray is not installed, there is no cluster, or no worker can begin.
    """
    ray = _connected(address)
    places: list[_Place] = []
    try:
        total = max(int(ray.cluster_resources().get("CPU", 1)), 1)
        cores = max(1, total // (workers or total))
        hire = _hirer(ray, _everywhere(settings), cores)
        waiting = deque(sorted(jobs, key=lambda job: -job.size))
        places += [hire() for _ in range(min(workers or total, total, len(jobs)))]
        while waiting or any(place.job for place in places):
            asked = [place.asked for place in places if place.asked is not None]
            answered, _ = ray.wait(asked, timeout=_PACE)
            for place in [p for p in places if p.asked in answered]:
                outcome = _answer(ray, place)
                if outcome is not None:
                    yield outcome
                if place.actor is None:
                    places[places.index(place)] = hire()
                elif waiting:
                    place.job = waiting.popleft()
                    place.asked = place.actor.work.remote(_absolute(place.job))
            _tell(ray, places, progress)
    finally:
        _dismiss(ray, places)
        ray.shutdown()


def _connected(address: str) -> Any:
    # Ray tells its makers how it is used unless it is told not to.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise WorkersError(
            f"--ray needs a package that is not installed ({error}); "
            "install it with `pip install -r requirements-ray.txt`"
        ) from error
    _knock(address)
    options = {"include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", **options)
    except Exception as error:  # Ray lets through whatever its parts raise
        raise WorkersError(f"no Ray cluster can be reached at {address}: {error}") from error
    return ray


def _knock(address: str) -> None:
    """Whether somebody answers at HOST:PORT: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_KNOCK).close()
    except (OSError, OverflowError) as error:
        raise WorkersError(f"no Ray cluster can be reached at {address}: {error}") from error


def _hirer(ray: Any, settings: Settings, cores: int) -> Callable[[], _Place]:
    """A function that starts a worker. Two of its methods run at once: `work`, and a question."""
    actor = ray.remote(RayWorker).options(num_cpus=cores, max_concurrency=2)

    def hire() -> _Place:
        worker = actor.remote(settings, cores)
        return _Place(worker, worker.ready.remote())

    return hire


def _answer(ray: Any, place: _Place) -> Outcome | None:
    """What a worker has to say; one that died leaves its place without an actor."""
    job, place.job, asked, place.asked = place.job, None, place.asked, None
    try:
        found = ray.get(asked)
        return None if job is None or found is None else replace(found, job=job)
    except ray.exceptions.RayError as error:
        reason = str(getattr(error, "cause", None) or error).strip().splitlines()[-1]
        if job is None:
            raise WorkersError(f"a worker of the Ray cluster cannot begin: {reason}") from error
        place.actor = None
        name = job.video.name
        return Outcome(job, problem=f"{name}: the process that worked on it died ({reason})")


def _tell(ray: Any, places: Sequence[_Place], progress: Progress) -> None:
    """Ask those at work how far they are; one that does not answer soon is not waited for."""
    busy = {place.actor.share.remote(): place for place in places if place.job is not None}
    if not busy:
        return
    answered, _ = ray.wait(list(busy), num_returns=len(busy), timeout=_PACE)
    for asked in answered:
        with suppress(ray.exceptions.RayError):  # of one that died, `_answer` tells
            progress(busy[asked].job, ray.get(asked))


def _dismiss(ray: Any, places: Sequence[_Place]) -> None:
    """Those at work take back what is half done before they go."""
    busy = [place for place in places if place.job is not None and place.actor is not None]
    for place in busy:
        place.actor.stop.remote()
    if busy:
        ray.wait([p.asked for p in busy], num_returns=len(busy), timeout=_PATIENCE)


def _absolute(job: Job) -> Job:
    return replace(job, video=job.video.resolve(), folder=job.folder.resolve())


def _everywhere(settings: Settings) -> Settings:
    return replace(settings, checkpoint=str(Path(settings.checkpoint).resolve()))
