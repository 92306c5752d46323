"""Run by test_causes.py on a disk of 2 MB: python full_disk.py DISK."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from app.engine import Engine
from app.sessions import Sessions
from app.settings import AppSettings, UserOptions
from app.vault import Vault
from tests.app.fakes import FakePose, untrained
from tests.conftest import pattern, write_video


def main(disk: Path) -> None:
    """Recognise a video on the full disk, make room, and recognise it again."""
    engine = Engine(AppSettings(), untrained, lambda options: FakePose())
    sessions = Sessions(engine, Vault(disk / "files", 3600))
    with tempfile.TemporaryDirectory() as elsewhere:
        video = write_video(Path(elsewhere) / "film.mp4", (pattern(i) for i in range(20)))
        filler = disk / "filler"
        _fill(filler)
        print(_recognise(sessions, video))
        filler.unlink()
        print(_recognise(sessions, video))
    sessions.close_all()
    left = [path for path in disk.rglob("*") if path.is_file()]
    print(f"{len(left)} files left")


def _recognise(sessions: Sessions, video: Path) -> str:
    job = sessions.get("a").begin(video, "film.mp4", UserOptions("fake"))
    if not job.wait(120):
        return "it hangs"
    return job.outcome.problem or "done"


def _fill(path: Path) -> None:
    """All but a few kilobytes, in which folders fit."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(file.tell() - 8192)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
