"""Several processes on this machine share the videos.

Each has a pipe to the one that gives out the work. The pipe says everything: a closed one ends a
worker, also in the midst of a video and also when the giver was killed; and a worker that dies is
noticed by it, whatever killed it.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from skeletr.many.jobs import Job
from skeletr.many.worker import Outcome, Settings, VideoWorker, keep_to, share_among
from skeletr.pipeline import Cancelled

# Called with a job and the share of it that is done.
Progress = Callable[[Job, float], None]
_PATIENCE = 30.0  # seconds for a worker to put away what it was at
_PACE = 0.5  # seconds between two messages about progress


class WorkersError(RuntimeError):
    """The workers cannot work at all; the message says why."""


@dataclass(frozen=True)
class _Failed:
    """A worker could not even begin."""

    why: str


@dataclass
class _Worker:
    process: BaseProcess
    job: Job | None = None
    ready: bool = False


def run_processes(
    settings: Settings, jobs: Sequence[Job], workers: int, progress: Progress
) -> Iterator[Outcome]:
    """Outcomes in the order in which they come; the largest videos begin, so that none is left
    alone at the end.

    Closing the iterator, or an exception such as `KeyboardInterrupt` in it, stops the workers;
    they take back what is half done.

    Raises:
        WorkersError: a worker cannot begin.
    """
    waiting = deque(sorted(jobs, key=lambda job: -job.size))
    cores = share_among(workers)
    team: dict[Connection, _Worker] = {}
    try:
        for _ in range(min(workers, len(waiting))):
            _hire(team, settings, cores)
        while waiting or any(worker.job for worker in team.values()):
            for pipe in wait(list(team)):
                worker = team[pipe]
                outcome = _listen(pipe, worker, progress)
                if outcome is not None:
                    worker.job = None
                    yield outcome
                if pipe.closed:
                    del team[pipe]
                    if waiting:
                        _hire(team, settings, cores)
                elif waiting and worker.ready and worker.job is None:
                    worker.job = waiting.popleft()
                    with suppress(OSError):  # it died just now, which the next `wait` tells
                        pipe.send(worker.job)
    finally:
        _dismiss(team)


def _hire(team: dict[Connection, _Worker], settings: Settings, cores: int) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, settings, cores), daemon=True)
    # Made by the first start otherwise, where it would end what `_ctrl_c_later` begins.
    resource_tracker.ensure_running()
    with _ctrl_c_later():
        process.start()
        theirs.close()
        team[ours] = _Worker(process)


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """A process that is started in the block does not get Ctrl-C at all, this one behind it.

    Blocking is what the new process inherits. Here it is not enough: any other thread may take the
    signal, and Python would then stop this one between the start and what the process waits for.
    """
    if not hasattr(signal, "pthread_sigmask"):  # not on Windows, where a worker may tell of it
        yield
        return
    usual = signal.getsignal(signal.SIGINT)
    ours = callable(usual) and threading.current_thread() is threading.main_thread()
    came: list[int] = []
    if ours:
        signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)  # one that waited comes now
        if ours:
            signal.signal(signal.SIGINT, usual)
    if came:
        usual(came[0], None)


def _listen(pipe: Connection, worker: _Worker, progress: Progress) -> Outcome | None:
    """One message of a worker; closes the pipe of one that died."""
    try:
        message = pipe.recv()
    except (EOFError, OSError):
        pipe.close()
        worker.process.join(_PATIENCE)
        return _died(worker)
    if isinstance(message, _Failed):
        raise WorkersError(message.why)
    if isinstance(message, Outcome):
        return message
    worker.ready = True
    if worker.job is not None:
        progress(worker.job, message)
    return None


def _died(worker: _Worker) -> Outcome | None:
    code = worker.process.exitcode
    reason = f"signal {-code}" if code and code < 0 else f"exit code {code}"
    if not worker.ready:
        raise WorkersError(f"a worker ended before it could begin ({reason})")
    if worker.job is None:
        return None
    name = worker.job.video.name
    return Outcome(worker.job, problem=f"{name}: the process that worked on it died ({reason})")


def _dismiss(team: dict[Connection, _Worker]) -> None:
    for pipe in team:
        pipe.close()
    for worker in team.values():
        worker.process.join(_PATIENCE)
        if worker.process.is_alive():
            worker.process.kill()


def _work(pipe: Connection, settings: Settings, cores: int) -> None:
    """What a worker does until its pipe is closed."""
    stop = _Stop(pipe)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the giver decides
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    keep_to(cores)
    try:
        worker = VideoWorker(settings)
    except (ValueError, RuntimeError) as error:
        pipe.send(_Failed(str(error)))
        return
    with suppress(EOFError, OSError, Cancelled):
        pipe.send(0.0)
        while not stop.told:
            pipe.send(worker.work(pipe.recv(), _Teller(pipe), stop))
    worker.close()


class _Stop(threading.Event):
    """Set when the other end of the pipe is closed, or somebody asked this process to end."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe = pipe

    @property
    def told(self) -> bool:
        """Whether somebody asked this process to end."""
        return super().is_set()

    def is_set(self) -> bool:
        """While a video is worked on, nothing is sent: what can be read is the end."""
        return self.told or self._pipe.poll()


class _Teller:
    """Tells the share that is done, now and then."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._told = time.monotonic()

    def __call__(self, share: float) -> None:
        now = time.monotonic()
        if now - self._told >= _PACE:
            self._told = now
            with suppress(OSError):  # the end of the giver is noticed by `_Stop`
                self._pipe.send(share)
