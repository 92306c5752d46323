"""Damaged video files by seed, through the road that strangers' files take in the app.

    python -m benchmarks.flips [--seeds 1000] [--minutes 6] [--json FILE]

Bytes of small valid files of five container formats are replaced by seed. Each file is decoded in
a process of its own, as the app does it; whatever is wrong must be frames or one sentence.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from skeletr.cores import usable_cores
from skeletr.video import VideoError, VideoLimits, VideoReader
from tests.broken.encoding import images, video
from tests.broken.test_videos import CONTAINERS, check_sentence, flipped

_LIMITS = replace(VideoLimits(), apart=True)
_HANG = 30.0  # seconds
_STOPPED = "its decoder"  # begins why a decoding process was stopped


def main(arguments: list[str] | None = None) -> int:
    """Decode, count, print and write the figures; 1 where anything else came of a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1000, help="in all, over the formats")
    parser.add_argument("--minutes", type=float, default=6.0, help="the most that it may take")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    deadline = time.monotonic() + 60 * options.minutes
    count, slowest, faults = Counter(), 0.0, []
    with tempfile.TemporaryDirectory() as name:
        whole = _whole(Path(name))

        def one(number: int) -> tuple[str, float, str]:
            ending = list(CONTAINERS)[number % len(CONTAINERS)]
            seed = number // len(CONTAINERS)
            if time.monotonic() > deadline:
                return "left out", 0.0, ""
            path = Path(name) / f"{number}.{ending}"
            path.write_bytes(flipped(whole[ending], seed))
            return _decode(path)

        with ThreadPoolExecutor(usable_cores()) as pool:
            for number, (what, seconds, fault) in enumerate(pool.map(one, range(options.seeds))):
                count[what] += 1
                slowest = max(slowest, seconds)
                if fault:
                    faults.append(f"{number}: {fault}")
    figures = {
        "asked": options.seeds,
        "formats": list(CONTAINERS),
        **count,
        "slowest_s": round(slowest, 1),
        "hangs": int(slowest > _HANG),
        "faults": faults,
    }
    print(json.dumps(figures, indent=2))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 1 if faults else 0


def _whole(folder: Path) -> dict[str, bytes]:
    return {
        ending: video(folder / f"a.{ending}", images(12, (64, 48)), **given).read_bytes()
        for ending, given in CONTAINERS.items()
    }


def _decode(path: Path) -> tuple[str, float, str]:
    """What came of a file, in how many seconds, and what should not have."""
    begin = time.perf_counter()
    try:
        reader = VideoReader(path, _LIMITS)
        frames = sum(1 for _ in reader)
        stopped = any(_STOPPED in w for w in reader.warnings)
        what, fault = "frames", "" if frames else "no frames and no sentence"
    except VideoError as error:
        what, fault = "one sentence", _fault(str(error), path)
        stopped = _STOPPED in str(error)
    except Exception as error:
        what, fault, stopped = "fault", repr(error), False
    finally:
        path.unlink()
    what = f"{what}, process stopped" if stopped else what
    return what, time.perf_counter() - begin, fault


def _fault(sentence: str, path: Path) -> str:
    try:
        check_sentence(sentence, path)
    except AssertionError:
        return f"no clear sentence: {sentence}"
    return ""


if __name__ == "__main__":
    raise SystemExit(main())
