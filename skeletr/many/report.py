"""What is said while many videos are worked on, and at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from skeletr.many.jobs import Job
from skeletr.many.worker import Outcome

_WIDTH = 25
_SHOWN = 20  # videos without a result that are named once more at the end


class Report:
    """Lines as videos are done, and one bar over all of them on a terminal.

    The bar measures in bytes: how long videos are would have to be looked up in each.
    """

    def __init__(self, jobs: Sequence[Job], already: int) -> None:
        """Args: jobs: what is to be done. already: how many videos were done before."""
        self._total = len(jobs)
        self._already = already
        self._bytes = max(sum(job.size for job in jobs), 1)
        self._begin = time.monotonic()
        self._done = 0
        self._shares: dict[Job, float] = {}  # of those that are worked on
        self._outcomes: list[Outcome] = []
        self._active = sys.stderr.isatty()
        self._shown = ""

    @property
    def problems(self) -> list[Outcome]:
        """The videos without a result."""
        return [outcome for outcome in self._outcomes if outcome.problem is not None]

    def progress(self, job: Job, share: float) -> None:
        """So much of a video is done."""
        self._shares[job] = share
        self._draw()

    def tell(self, outcome: Outcome) -> None:
        """A video is done, or has failed."""
        self._shares.pop(outcome.job, None)
        self._done += outcome.job.size
        self._outcomes.append(outcome)
        self.clear()
        for warning in outcome.warnings:
            print(warning, file=sys.stderr)
        if outcome.problem is None:
            print(outcome.said, flush=True)
        else:
            print(outcome.problem, file=sys.stderr, flush=True)
        self._draw()

    def clear(self) -> None:
        """Take the bar away."""
        if self._shown:
            print("\r" + " " * len(self._shown) + "\r", end="", file=sys.stderr, flush=True)
            self._shown = ""

    def end(self) -> None:
        """The sum of it, where there were several videos."""
        self.clear()
        if self._total + self._already < 2:
            return
        good = len(self._outcomes) - len(self.problems)
        frames = sum(outcome.frames for outcome in self._outcomes)
        video = sum(outcome.seconds for outcome in self._outcomes)
        took = max(time.monotonic() - self._begin, 1e-9)
        print(
            f"{good + self._already} of {self._total + self._already} videos are done, "
            f"{self._already} of them before; {frames} frames in {_span(took)}: "
            f"{frames / took:.1f} frames/s, {video / took:.2f} times real time"
        )
        problems = self.problems
        if problems:
            print(f"{len(problems)} without a result:", file=sys.stderr)
        for outcome in problems[:_SHOWN]:
            print(f"  {outcome.job.video}", file=sys.stderr)
        if len(problems) > _SHOWN:
            print(f"  and {len(problems) - _SHOWN} more", file=sys.stderr)

    def _draw(self) -> None:
        if not self._active:
            return
        half_done = sum(job.size * share for job, share in self._shares.items())
        share = min((self._done + half_done) / self._bytes, 1.0)
        bar = "#" * int(share * _WIDTH)
        line = f"{len(self._outcomes)} of {self._total} [{bar:<{_WIDTH}}] {share:4.0%}"
        if share > 0.01:
            left = (time.monotonic() - self._begin) * (1 - share) / share
            line += f", about {_span(left)} left"
        if line != self._shown:
            self.clear()
            print(line, end="", file=sys.stderr, flush=True)
            self._shown = line


def _span(seconds: float) -> str:
    """Seconds in words, two units at most."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"
