"""How a job ended, and the files that it left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from skeletr.pipeline import Result
from skeletr.scoring import Taught


@dataclass(frozen=True)
class Files:
    """What can be downloaded.

    pyskl: None where nobody was recognised.
    """

    video: Path
    session: Path
    csv: Path
    json: Path
    recording: Path
    subtitles: Path
    pyskl: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """How a job ended: a result with its files, or one sentence about why there is none.

    told: a sentence about the result, "" if there is nothing to say. taught: the visitor's own
    labels that it was recognised with.
    """

    result: Result | None = None
    files: Files | None = None
    problem: str = ""
    stopped: bool = False
    told: str = ""
    taught: Taught | None = None
