"""Which videos there are, where their results belong, and which are done already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULT, VIDEO = "result.json", "annotated.mp4"
# Among the settings that are kept with a result. A digest of where the video lay: whoever is given
# a result need not know that.
_PLACE = "video_place"
# In a folder, what ends so is taken for a video; a file that is named is taken whatever its name.
SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"),
    *(".wmv", ".flv", ".3gp", ".ogv", ".mxf"),
)


@dataclass(frozen=True)
class Job:
    """One video and the folder for its results. size: bytes, 0 where it cannot be found."""

    video: Path
    folder: Path
    size: int = 0


def find_jobs(paths: Sequence[Path], out: Path) -> list[Job]:
    """A job for each video that is named or lies in a folder that is named, however deep.

    Results go to `out` in folders named as the videos, below folders as those of the videos; of
    several that would have the same name, the later ones get a number, and so does one
    whose folder holds the result of another video of an earlier run.

    Raises:
        FileNotFoundError: there is no video in one of the folders.
    """
    taken: set[str] = set()
    jobs = []
    for path in paths:
        for video, place in _videos(path, out):
            folder, number = place, 1
            while str(folder).casefold() in taken or _is_of_another(out / folder, video):
                number += 1
                folder = place.with_name(f"{place.name}-{number}")
            taken.add(str(folder).casefold())
            jobs.append(Job(video, out / folder, _size(video)))
    return jobs


def _videos(path: Path, out: Path) -> Iterator[tuple[Path, Path]]:
    """Videos, and the folders of their results relative to `out`."""
    if not path.is_dir():
        yield path, Path(path.stem or "video")
        return
    found = [p for p in sorted(path.rglob("*")) if _is_video(p, path, out)]
    if not found:
        raise FileNotFoundError(
            f"{path}: there is no video in this folder; looked for {' '.join(SUFFIXES)}"
        )
    for video in found:
        inside = video.relative_to(path)
        yield video, inside.parent / (video.stem or "video")


def _is_video(path: Path, folder: Path, out: Path) -> bool:
    """Not what this program wrote itself, nor hidden files such as its half-written ones."""
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        return False
    if any(part.startswith(".") for part in path.relative_to(folder).parts):
        return False
    written = path.name == VIDEO and (path.parent / RESULT).exists()
    return not written and out.resolve() not in path.resolve().parents


def _size(video: Path) -> int:
    try:
        return video.stat().st_size
    except OSError:
        return 0


def with_video(settings: Mapping[str, Any], video: Path) -> dict[str, Any]:
    """What a result depends on: `settings`, and which state of the file was recognised.

    Raises `OSError` where the video cannot be found.
    """
    facts = video.stat()
    return {
        **settings,
        "video_bytes": facts.st_size,
        "video_modified": int(facts.st_mtime),
        _PLACE: hashlib.sha256(str(video.resolve()).encode()).hexdigest()[:16],
    }


def _is_of_another(folder: Path, video: Path) -> bool:
    """Whether a folder holds the result of another video: from elsewhere, and another file."""
    try:
        found = json.loads((folder / RESULT).read_text(encoding="utf-8"))["settings"]
        ours = with_video({}, video)
        moved = all(found[k] == v for k, v in ours.items() if k != _PLACE)
        return found[_PLACE] != ours[_PLACE] and not moved
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return False


def forget_video(folder: Path) -> None:
    """Remove an annotated video, and first the result that it belongs to."""
    if (folder / VIDEO).exists():
        (folder / RESULT).unlink(missing_ok=True)
        (folder / VIDEO).unlink(missing_ok=True)


def is_done(job: Job, settings: Mapping[str, Any]) -> bool:
    """Whether the job's result was written whole, with these settings and of this very file."""
    try:
        found = json.loads((job.folder / RESULT).read_text(encoding="utf-8"))
        done, wanted = found["settings"], with_video(settings, job.video)
        return {**done, _PLACE: ""} == {**wanted, _PLACE: ""}  # it may have been moved
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return False
