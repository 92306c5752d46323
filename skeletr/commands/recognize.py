"""Recognise the people of video files.

Per video a folder with annotated.mp4, actions.csv, result.json and recording.npz appears in the
folder of --out. Exit code 0 only if every video succeeded.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from skeletr.checkpoint import DEFAULT_CHECKPOINT, Checkpoint, CheckpointError
from skeletr.devices import DEVICES, DeviceError, pick_device, share_cores
from skeletr.export import write_csv, write_json
from skeletr.files import atomic_folder
from skeletr.overlay import PICTURES, OverlayStyle
from skeletr.pipeline import Result, annotate_video, recognize_video
from skeletr.pose import FRONTENDS, create_frontend
from skeletr.pose.base import PoseError, PoseFrontend
from skeletr.recognizer import Recognizer, RecognizerConfig
from skeletr.video import VideoError, VideoLimits

_UNLIMITED = VideoLimits(max_seconds=24 * 3600, max_frames=10**8)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `recognize`."""
    parser.add_argument("videos", nargs="+", type=Path, metavar="VIDEO")
    parser.add_argument("--out", type=Path, default=Path("output"), help="folder for the results")
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--pose", choices=FRONTENDS, default=FRONTENDS[0])
    parser.add_argument("--max-people", type=int, default=6)
    parser.add_argument("--threshold", type=float, help="probability below which it is unknown")
    parser.add_argument(
        "--picture",
        choices=PICTURES,
        default=PICTURES[0],
        help="what annotated.mp4 shows of people",
    )
    parser.add_argument("--no-video", action="store_true", help="leave out annotated.mp4")


def run(args: argparse.Namespace) -> int:
    """Recognise every video, one after the other; a bad one does not stop the rest."""
    share_cores()
    try:
        checkpoint = Checkpoint.from_pretrained(args.checkpoint, pick_device(args.device))
        recognizer = Recognizer(checkpoint, RecognizerConfig(threshold=args.threshold))
        frontend = create_frontend(args.pose, max_people=args.max_people)
    except (CheckpointError, DeviceError, PoseError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        style = None if args.no_video else OverlayStyle(picture=args.picture)
        failed = [
            not _recognize(video, folder, frontend, recognizer, style)
            for video, folder in _folders(args.videos, args.out)
        ]
    finally:
        frontend.close()
    return 1 if any(failed) else 0


def _folders(videos: list[Path], out: Path) -> list[tuple[Path, Path]]:
    """A folder per video, named after it; two videos of one name get a number."""
    taken: set[str] = set()
    pairs = []
    for video in videos:
        name, number = video.stem or "video", 1
        while name in taken:
            number += 1
            name = f"{video.stem}-{number}"
        taken.add(name)
        pairs.append((video, out / name))
    return pairs


def _recognize(
    video: Path,
    folder: Path,
    frontend: PoseFrontend,
    recognizer: Recognizer,
    style: OverlayStyle | None,
) -> bool:
    """One video; `style` is None where no annotated video is wanted. False if it failed."""
    bar = _Bar(video.name)
    try:
        result = recognize_video(video, frontend, recognizer, limits=_UNLIMITED, progress=bar)
        with atomic_folder(folder) as partial:
            if style is not None:
                drawing = annotate_video(
                    video,
                    result,
                    partial / "annotated.mp4",
                    style=style,
                    limits=_UNLIMITED,
                    progress=bar,
                )
                result.timing.update(drawing)
            write_csv(result, partial / "actions.csv")
            write_json(result, partial / "result.json")
            result.recording.save(partial / "recording.npz")
    except (VideoError, PoseError) as error:
        bar.close()
        print(error, file=sys.stderr)
        return False
    except OSError as error:
        bar.close()
        print(f"{video.name}: the results cannot be written to {folder}: {error}", file=sys.stderr)
        return False
    bar.close()
    _tell(result, folder)
    return True


def _tell(result: Result, folder: Path) -> None:
    for warning in result.warnings:
        print(warning, file=sys.stderr)
    frames = len(result.recording.frame_times)
    pace = frames / max(result.timing["total"], 1e-9)
    people = len(result.log.people)
    best = ", ".join(f"{name} {score:.0%}" for name, score in result.log.overall()[:3])
    print(
        f"{result.info.name}: {frames} frames, {people} people, {best or 'nobody recognised'}; "
        f"{pace:.1f} frames/s; results in {folder}"
    )


class _Bar:
    """A one-line progress bar on a terminal; silent elsewhere."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._shown = -1
        self._active = sys.stderr.isatty()

    def __call__(self, done: float, what: str) -> None:
        percent = int(done * 100)
        if self._active and percent != self._shown:
            self._shown = percent
            bar = "#" * (percent // 4)
            print(f"\r{what} {self._name} [{bar:<25}] {percent:3d} %", end="", file=sys.stderr)

    def close(self) -> None:
        """End the line."""
        if self._active and self._shown >= 0:
            print(file=sys.stderr)
