"""One's own videos as a data set: FOLDER/LABEL/*.mp4, one folder per label.

Every video takes the road of `recognize` (decode, pose, track) to a recording, which is kept in a
work folder: WORK/LABEL/VIDEO.mp4.npz. What is there already, and newer than its video, is not
done again; so an interrupted run goes on where it stopped. FOLDER/split.csv may say who trains, as
for `recordings`, by names such as wave/clip1.mp4.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from skeletr.datasets.clip import DatasetError, Split
from skeletr.datasets.recordings import label_of, load_labelled, visible_files
from skeletr.datasets.sample import Sample
from skeletr.devices import unexpected
from skeletr.pipeline import Progress, record_video
from skeletr.pose.base import PoseError, PoseFrontend
from skeletr.recording import Recording, RecordingError
from skeletr.video import OWN_FILES, VideoError

_COMMON = (".avi", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm")
_RARE = (".3gp", ".asf", ".flv", ".m2ts", ".mts", ".ogv", ".ts", ".wmv")
VIDEO_SUFFIXES = frozenset({*_COMMON, *_RARE})
WORK_FOLDER = ".skeletr"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Video:
    """One video of the folder.

    path: the file. label: its folder. name: its path below the folder, "wave/clip1.mp4".
    recording: where the recording of its people is, or will be.
    """

    path: Path
    label: str
    name: str
    recording: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a video. problem: why it cannot be used, in a sentence; "" if it can.
    remarks: sentences about parts of it. again: it was there already."""

    video: Video
    problem: str = ""
    remarks: tuple[str, ...] = ()
    again: bool = False


def find_videos(folder: Path, work: Path | None = None) -> list[Video]:
    """The videos of a folder, in order of their names.

    Args:
        work: where the recordings are kept, FOLDER/.skeletr if not given.

    Raises:
        DatasetError: there is no video, one lies in no label's folder, or there is one label only.
    """
    work = work or folder / WORK_FOLDER
    paths = visible_files(folder, VIDEO_SUFFIXES)
    if not paths:
        raise DatasetError(f"{folder} holds no videos, expected LABEL/VIDEO.mp4 and the like")
    videos = []
    for path in paths:
        label, name = label_of(path, folder), path.relative_to(folder).as_posix()
        if not label:
            raise DatasetError(f"{path} has no label: expected a folder per label, LABEL/{name}")
        videos.append(Video(path, label, name, work / f"{name}.npz"))
    labels = {video.label for video in videos}
    if len(labels) < 2:
        raise DatasetError(
            f"{folder} holds only the label {labels.pop()!r}, expected at least two folders to "
            "tell apart"
        )
    return videos


def record_videos(
    videos: Sequence[Video],
    frontend: Callable[[], PoseFrontend],
    progress: Callable[[int, Video], Progress | None] = lambda index, video: None,
) -> Iterator[Outcome]:
    """Record the people of every video, one after the other; a bad one does not stop the rest.

    Args:
        frontend: makes the pose frontend, which is used for all and closed; called only if there
            is something to do.
        progress: called with the number of the video, from 0; gives what is told of its frames.

    Raises:
        PoseError: the frontend cannot be made.
    """
    opened: PoseFrontend | None = None
    try:
        for index, video in enumerate(videos):
            done = _recorded(video)
            if done is not None:
                yield _judged(video, done, again=True)
                continue
            opened = opened or frontend()
            try:
                outcome = _record(video, opened, progress(index, video))
            except Exception as error:  # one strange file must not stop those behind it
                _LOG.debug("%s", video.name, exc_info=True)
                outcome = Outcome(video, f"{video.name}: {unexpected(error)}")
                broken, opened = opened, None  # what state it is in is not known
                with suppress(Exception):
                    broken.close()
            yield outcome
    finally:
        if opened is not None:
            opened.close()


def read_videos(outcomes: Iterable[Outcome], splits: Mapping[str, Split]) -> Iterator[Sample]:
    """The videos that can be used, as they come.

    Args:
        splits: of every video by `Video.name`; see `assign_splits` of `recordings`.

    Raises:
        DatasetError: a recording is broken.
    """
    for video in (outcome.video for outcome in outcomes if not outcome.problem):
        recording = load_labelled(video.recording, video.label)
        yield Sample(recording, video.name, splits[video.name])


def _recorded(video: Video) -> Recording | None:
    """The recording that is there, if it can be read and is newer than the video."""
    try:
        if video.recording.stat().st_mtime < video.path.stat().st_mtime:
            return None
        return Recording.load(video.recording)
    except (OSError, RecordingError):
        return None


def _record(video: Video, frontend: PoseFrontend, progress: Progress | None) -> Outcome:
    try:
        recording, remarks = record_video(
            video.path, frontend, limits=OWN_FILES, progress=progress, name=video.name
        )
        recording.save(video.recording)
    except (VideoError, PoseError) as error:
        return Outcome(video, str(error))
    except OSError as error:
        return Outcome(video, f"{video.name}: {video.recording} cannot be written: {error}")
    return _judged(video, recording, remarks)


def _judged(
    video: Video, recording: Recording, remarks: tuple[str, ...] = (), again: bool = False
) -> Outcome:
    problem = "" if len(recording.frame) else f"{video.name}: nobody is seen in it"
    return Outcome(video, problem, remarks, again)
