"""The other end of `Decoder`: a path per line comes in, an answer per line goes out."""

from __future__ import annotations

import json
import sys
import time
import traceback
from pathlib import Path

import numpy as np

from skeletr.video import VideoError, VideoReader

_MEMORY = 4 * 2**30  # bytes of addresses; a file that makes the decoder ask for more is at fault


def main() -> None:
    """Answer until the input ends."""
    _limit_memory()
    print("ready", flush=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        answer = look(Path(json.loads(line)))
        answer["seconds"] = time.perf_counter() - begin
        print(json.dumps(answer), flush=True)


def look(path: Path) -> dict:
    """Decode a file and check every frame."""
    frames = 0
    try:
        reader = VideoReader(path)
        before = -1.0
        for frame in reader:
            width, height = reader.size
            if frame.image.shape != (height, width, 3) or frame.image.dtype != np.uint8:
                return {"fault": f"a frame of {frame.image.shape}, expected {reader.size}"}
            if not before < frame.time < float("inf"):
                return {"fault": f"time goes from {before} to {frame.time}"}
            before = frame.time
            frames += 1
    except VideoError as error:
        return {"frames": frames, "error": str(error)}
    except BaseException:
        return {"frames": frames, "fault": traceback.format_exc()}
    return {"frames": frames, "warnings": reader.warnings}


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


if __name__ == "__main__":
    main()
