"""How well people are found and followed in real clips, and what it costs.

    python -m benchmarks.pose --videos DIR [--json out.json] [--frontend mediapipe]

`DIR` holds the clips named in `CLIPS`; those that are missing are left out and said so. Every frame
is used, at its true time. What is in the clips was labelled by looking at them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.machine import machine, told, write_json
from skeletr.pipeline import record_video
from skeletr.pose import USUAL_PEOPLE, PoseFrontend, create_frontend
from skeletr.pose.mediapipe_pose import RUNNERS, MediaPipePose, MediaPipePoseConfig
from skeletr.recording import Person
from skeletr.tracking import Tracker
from skeletr.video import VideoReader


@dataclass(frozen=True)
class Span:
    """What is true from frame `first` to `last`, both included: so many people to be seen."""

    first: int
    last: int
    people: int


@dataclass(frozen=True)
class Clip:
    """A clip and the people in it. Frames outside all spans are not judged on their number.

    visits: how many identities there are: a person who leaves and comes back later counts again.
    side_by_side: the people keep their order from left to right, so that ids can be checked.
    """

    name: str
    spans: tuple[Span, ...]
    visits: int
    side_by_side: bool = True


END = 10**9
# Fully visible from the waist up, or gone with their shadow; frames in between are not judged.
ENTERING = (
    *(Span(a, b, 0) for a, b in ((0, 58), (202, 224), (452, 500), (704, 742), (872, 920))),
    *(Span(a, b, 0) for a, b in ((1204, 1232), (1364, END))),
    *(Span(a, b, 1) for a, b in ((68, 194), (236, 444), (510, 692), (752, 864))),
    *(Span(a, b, 1) for a, b in ((932, 1194), (1244, 1354))),
)
CLIPS = (
    Clip("exercise_three_people.avi", (Span(0, END, 3),), 3),
    Clip("juggle_one_man.mp4", (Span(0, END, 1),), 1),
    Clip("derived/portrait_405x720_juggle.mp4", (Span(0, END, 1),), 1),
    Clip("clean_and_jerk.mp4", (Span(0, END, 1),), 1),
    Clip("upper_body_sign.mkv", (Span(0, END, 1),), 1),
    Clip("one_by_one_entering.mp4", ENTERING, 6),
    # The boy is behind the girl from 18 to 107, and out of sight for most of that time.
    Clip(
        "bedroom_two_children.mp4",
        (Span(0, 15, 2), Span(112, END, 2), Span(16, 111, 1)),
        2,
        side_by_side=False,
    ),
    Clip("no_people_cars.mp4", (Span(0, END, 0),), 0),
    Clip("derived/nopeople_testsrc.mp4", (Span(0, END, 0),), 0),
)


@dataclass(frozen=True)
class Result:
    """What was measured on one clip.

    exact: share of the judged frames with exactly the true number of people.
    ids: identities given; visits: the true number. switches: changes of the id of a place.
    ghosts: people too many, summed over the judged frames. missing: people too few, likewise.
    outside: joints with a score above 0 outside the picture.
    ms_frame: mean milliseconds of frontend and tracker per frame, the first one left out;
    ms_first: the first one; ms_person: per person and frame, searching included. Where it is not
    live, decoding is in it and the first frame is like all others.
    cpu_frame: the same in milliseconds of processor time, which other programs disturb less.
    """

    clip: str
    frames: int
    judged: int
    exact: float
    visits: int
    ids: int
    switches: int
    ghosts: int
    missing: int
    outside: int
    ms_frame: float
    ms_first: float
    ms_person: float
    cpu_frame: float


@dataclass(frozen=True)
class Candidate:
    """frontend: by name. runner: of mediapipe. live: frame by frame; otherwise as a file is
    followed, which can wait and look back."""

    frontend: str
    runner: str
    max_people: int
    live: bool

    def open(self) -> PoseFrontend:
        """To be closed after use."""
        if self.frontend == "mediapipe":
            config = MediaPipePoseConfig(max_people=self.max_people, runner=self.runner)
            return MediaPipePose(config)
        return create_frontend(self.frontend, self.max_people)


def measure(clip: Clip, path: Path, candidate: Candidate) -> Result:
    """Run the frontend and the tracker over a whole clip."""
    pose = candidate.open()
    try:
        return _live(clip, path, pose) if candidate.live else _file(clip, path, pose)
    finally:
        pose.close()


def _live(clip: Clip, path: Path, pose: PoseFrontend) -> Result:
    tracker = Tracker()
    found: list[tuple[Person, ...]] = []
    wall: list[float] = []
    cpu: list[float] = []
    reader = VideoReader(path)
    for frame in reader:
        start, start_cpu = time.perf_counter(), time.process_time()
        found.append(tracker.update(pose.estimate(frame.image, frame.time), frame.time))
        wall.append(1e3 * (time.perf_counter() - start))
        cpu.append(1e3 * (time.process_time() - start_cpu))
    return _judge(clip, found, np.array(wall), np.array(cpu), reader.size)


def _file(clip: Clip, path: Path, pose: PoseFrontend) -> Result:
    start, start_cpu = time.perf_counter(), time.process_time()
    recording, _ = record_video(path, pose)
    each = np.full(len(recording.frame_times), 1e3 / len(recording.frame_times))
    wall, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    found = [recording.at(moment) for moment in recording.frame_times]
    return _judge(clip, found, wall * each, cpu * each, recording.image_size)


def _judge(
    clip: Clip,
    found: list[tuple[Person, ...]],
    wall: np.ndarray,
    cpu: np.ndarray,
    size: tuple[int, int],
) -> Result:
    truth = _truth(clip, len(found))
    judged = [(true, people) for true, people in zip(truth, found, strict=True) if true is not None]
    excess = np.array([len(people) - true for true, people in judged])
    seen = sum(len(people) for people in found)
    ids = Counter(person.id for people in found for person in people)
    return Result(
        clip=clip.name,
        frames=len(found),
        judged=len(judged),
        exact=float((excess == 0).mean()),
        visits=clip.visits,
        ids=len(ids),
        switches=_switches(clip, truth, found),
        ghosts=int(np.clip(excess, 0, None).sum()),
        missing=int(np.clip(-excess, 0, None).sum()),
        outside=sum(_outside(person, size) for people in found for person in people),
        ms_frame=float(wall[1:].mean()),
        ms_first=float(wall[0]),
        ms_person=float(wall[1:].sum() / seen) if seen else 0.0,
        cpu_frame=float(cpu[1:].mean()),
    )


def _truth(clip: Clip, frames: int) -> list[int | None]:
    out: list[int | None] = [None] * frames
    for span in clip.spans:
        for i in range(span.first, min(span.last + 1, frames)):
            out[i] = span.people
    return out


def _switches(clip: Clip, truth: list[int | None], found: list[tuple[Person, ...]]) -> int:
    """Changes of the id at a place, counted from left to right within each visit."""
    if not clip.side_by_side:
        return 0
    switches, places = 0, []
    for true, people in zip(truth, found, strict=True):
        if true == 0:
            places = []
        if not true or len(people) != true:
            continue
        ids = [p.id for p in sorted(people, key=lambda p: p.box[0] + p.box[2])]
        if places and len(places) == len(ids):
            switches += sum(a != b for a, b in zip(places, ids, strict=True))
        places = ids
    return switches


def _outside(person: Person, size: tuple[int, int]) -> int:
    x, y, score = person.keypoints.T
    outside = (x < 0) | (y < 0) | (x >= size[0]) | (y >= size[1])
    return int((outside & (score > 0)).sum())


def _table(results: list[Result]) -> str:
    head = (
        f"| {'clip':32s} | frames | exact | ids | switches | ghosts | missing | outside | "
        "ms a frame | ms a person | processor ms a frame |"
    )
    rows = [
        f"| {r.clip:32s} | {r.frames} | {r.exact:.1%} | {r.ids}/{r.visits} | {r.switches} | "
        f"{r.ghosts} | {r.missing} | {r.outside} | {r.ms_frame:.1f} | {r.ms_person:.1f} | "
        f"{r.cpu_frame:.1f} |"
        for r in results
    ]
    return "\n".join([head, "|---" * 11 + "|", *rows])


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=Path, required=True, help="folder with the clips")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--frontend", choices=("mediapipe", "rtmlib"), default="mediapipe")
    parser.add_argument("--runner", choices=RUNNERS, default="auto", help="of mediapipe")
    parser.add_argument("--max-people", type=int, default=USUAL_PEOPLE)
    parser.add_argument("--live", action="store_true", help="frame by frame, with no look back")
    parser.add_argument("--only", nargs="*", help="parts of the names of the clips wanted")
    options = parser.parse_args(arguments)
    candidate = Candidate(options.frontend, options.runner, options.max_people, options.live)
    results = []
    for clip in CLIPS:
        if options.only and not any(part in clip.name for part in options.only):
            continue
        path = options.videos / clip.name
        if not path.is_file():
            print(f"{clip.name}: not in {options.videos}, left out", file=sys.stderr)
            continue
        results.append(measure(clip, path, candidate))
        print(_table(results[-1:]).splitlines()[-1], file=sys.stderr)
    if not results:
        parser.error(f"none of the clips is in {options.videos}")
    facts = machine()
    print(f"{told(facts)}\n{_table(results)}")
    if options.json:
        write_json(options.json, facts, [asdict(r) for r in results])
    return 0


if __name__ == "__main__":
    sys.exit(main())
