"""Write a checkpoint as an ONNX file, and check it against the network on recordings.

The file takes any number of scenes and of short sequences, with a mask for padding, and holds
labels, temperature, threshold and how sequences are cut in its metadata (docs/PERFORMANCE.md).
It is kept only if it differs from the network by at most 1e-4. `recognize --engine onnx` uses it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from skeletr.checkpoint import DEFAULT_CHECKPOINT, Checkpoint, CheckpointError
from skeletr.devices import share_cores
from skeletr.onnx_engine import ONNX_FILE
from skeletr.onnx_export import TOLERANCE, Agreement, export_onnx
from skeletr.onnx_graph import OnnxError
from skeletr.pipeline import record_video
from skeletr.pose import PoseError, create_frontend
from skeletr.recording import Recording, RecordingError
from skeletr.synthetic import examples
from skeletr.video import VideoError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `export`."""
    parser.add_argument(
        "checkpoint", nargs="?", default=DEFAULT_CHECKPOINT, help="folder (default: the shipped)"
    )
    parser.add_argument(
        "--onnx",
        nargs="?",
        const="",
        required=True,
        metavar="OUT",
        help=f"the file to write (default: {ONNX_FILE} in the folder of the checkpoint)",
    )
    parser.add_argument(
        "--check",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="videos, or recordings (.npz) that `recognize` wrote, to compare on "
        "(default: people made up by the program)",
    )
    parser.add_argument(
        "--attention", action="store_true", help="the file also gives the attention weights"
    )


def run(args: argparse.Namespace) -> int:
    """Write the file; 1 where it cannot be made or does not agree."""
    share_cores()
    out = Path(args.onnx or Path(args.checkpoint) / ONNX_FILE)
    try:
        checkpoint = Checkpoint.from_pretrained(args.checkpoint)
        recordings = list(_recordings(args.check))
        agreement = export_onnx(checkpoint, out, recordings, args.attention)
    except (CheckpointError, OnnxError, PoseError, RecordingError, VideoError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"export: {out} cannot be written: {error}", file=sys.stderr)
        return 1
    _tell(out, agreement, recordings, made_up=not args.check)
    return 0


def _recordings(files: Sequence[Path]) -> Iterator[Recording]:
    if not files:
        yield from examples().values()
    videos = [f for f in files if f.suffix != ".npz"]
    yield from (Recording.load(f) for f in files if f.suffix == ".npz")
    if videos:
        frontend = create_frontend()
        try:
            yield from (record_video(video, frontend)[0] for video in videos)
        finally:
            frontend.close()


def _tell(out: Path, agreement: Agreement, recordings: Sequence[Recording], made_up: bool) -> None:
    size = out.stat().st_size / 1e6
    kind = "made-up recordings" if made_up else "recordings"
    print(
        f"{out}: {size:.1f} MB; {agreement.windows} windows with {agreement.sequences} sequences "
        f"of {len(recordings)} {kind} compared with the network"
    )
    for name, difference in agreement.difference.items():
        print(f"  {name:<12} differs by at most {difference:.1e}")
    print(f"  kept: at most {TOLERANCE:.0e} is allowed")
    if made_up:
        print("Give real ones with --check VIDEO... to compare on them.")
