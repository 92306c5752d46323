"""Follows the bodies in a stream, and takes up newcomers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np

from skeletr.pose.bodies import (
    distance,
    is_double,
    is_near,
    is_plausible,
    is_same,
    is_turned,
    is_upright,
)
from skeletr.pose.geometry import Region, Tile
from skeletr.pose.networks import Body, PoseNetworks
from skeletr.pose.tiles import SearchRota, tile_around
from skeletr.pose.together import Together

# A body that moved this far out of the square looked at (in parts of its size) is looked at again.
SECOND_LOOK = 0.12
# Regions from the finder this close to a known one are the known one.
KNOWN_GAP = 0.12
PROBATION = 0.3  # seconds in which a newcomer must go on looking like one
# Least score of what the finder takes for somebody smaller than this, relative to the picture's
# shorter side.
SMALL_REGION, SMALL_DETECTION = 0.6, 0.7
RETRACED = 0.15  # distance of a body followed backwards from the same one followed forwards
FOUND_GAP = 0.5  # newcomers this close to where someone was lost are them
LOST_TILE = 1.5  # side of the search around a lost person, in sizes of the last region
# Of someone long out of sight, behind somebody else perhaps, nobody knows the pose. Only a place
# is searched, closely and more closely in turn, as otherwise one sees but whoever stands there.
REMEMBERED_TILES = (1.2, 0.75)
REMEMBERED_EVERY = 0.1  # seconds


class CrowdConfig(Protocol):
    """The part of `MediaPipePoseConfig` that is needed here."""

    max_people: int
    min_detection: float
    min_lost: float
    min_new: float
    min_presence: float
    scan_interval: float
    idle_scan_interval: float
    lost_seconds: float
    remembered_seconds: float
    min_size: float


@dataclass(frozen=True)
class Followed:
    """A person on screen.

    slot: their number at the networks. since: time of the first look, in seconds. moved: distance
    from the last look, in parts of the size. retraced: they were followed backwards from there.
    """

    slot: int
    body: Body
    since: float
    moved: float = 0.0
    retraced: bool = False


@dataclass(frozen=True)
class Looked:
    """A frame as it was looked at: (H, W, 3) uint8 RGB, and the bodies that were found."""

    time: float
    image: np.ndarray
    bodies: tuple[Body, ...]


@dataclass(frozen=True)
class Lost:
    """A person who went out of sight at `time`, to be looked for from `due` on.

    looks: how many there were after the first while, in which every frame is looked at.
    """

    person: Followed
    time: float
    due: float
    looks: int = 0


class Crowd:
    """The bodies of one stream, frame by frame."""

    def __init__(self, networks: PoseNetworks, config: CrowdConfig) -> None:
        self._networks = networks
        self._config = config
        self._rota = SearchRota()
        self._together = Together(networks.parallel)
        self._followed: list[Followed] = []
        self._lost: list[Lost] = []
        self._time = -np.inf  # of the last frame

    def reset(self) -> None:
        """Forget the stream."""
        self._networks.reset()
        self._rota.reset()
        self._followed, self._lost = [], []
        self._time = -np.inf

    def close(self) -> None:
        """End the threads; the networks stay open. May be called twice."""
        self._together.close()

    def update(self, image: np.ndarray, time: float) -> list[Body]:
        """The bodies in one frame, (H, W, 3) uint8 RGB."""
        self._time = time
        followed, tiles = list(self._followed), self._due(image, time)
        looks = [partial(self._look, image, f, time) for f in followed]
        searches = [partial(self._networks.detect, image, tile) for tile in tiles]
        done = self._together.run([*looks, *searches])
        self._follow(list(zip(followed, done, strict=False)), time)
        found = [
            region
            for regions in done[len(followed) :]
            for region in regions
            if region.score >= self._least(region, image)
        ]
        for tile in self._regain(image, time):
            found += self._networks.detect(image, tile)
        # The surest look at a newcomer settles their place; the others find them known.
        for region in sorted(found, key=lambda region: -region.score):
            self._meet(image, region, time)
        return [f.body for f in self._followed]

    def retrace(self, earlier: Sequence[Looked]) -> list[tuple[Body, ...]]:
        """Follow whoever proved to be somebody in the last frame backwards from when they came.

        Args:
            earlier: the frames before the last one, the newest first.

        Returns:
            The bodies to be added to each of the first so many of them.
        """
        found: list[list[Body]] = [[] for _ in earlier]
        proved = [f for f in self._followed if f.since + PROBATION < self._time and not f.retraced]
        for person in proved:
            if not earlier or earlier[-1].time >= person.since:
                continue  # there is no frame before they came
            for bodies, body in zip(found, self._backwards(person, earlier), strict=False):
                bodies += [body] if body is not None else []
        for person in proved:
            self._followed[self._followed.index(person)] = replace(person, retraced=True)
        return [tuple(bodies) for bodies in found]

    def _backwards(self, person: Followed, earlier: Sequence[Looked]) -> Iterator[Body | None]:
        """Their body in each frame, None where it is known, as far back as they are seen.

        Backwards they must be where they were forwards, until they came, and nobody after that.
        """
        # A slot that nobody has: theirs goes on forwards from where they are.
        traced = replace(person, slot=self._config.max_people)
        for frame in earlier:
            seen = self._look(frame.image, traced, self._time)
            if seen is None:
                return
            if frame.time < person.since:
                if any(is_double(seen.body, body) for body in frame.bodies):
                    return
                traced = seen
                yield seen.body
            else:
                same = min(frame.bodies, key=partial(distance, seen.body), default=None)
                if same is None or distance(seen.body, same) > RETRACED:
                    return
                traced = replace(traced, body=same)
                yield None

    def _follow(self, looks: list[tuple[Followed, Followed | None]], time: float) -> None:
        """Keep those who are still there, given everybody before and as they look now."""
        kept: list[Followed] = []
        # Of two who seem to be one body, the newer one, or else the one who moved more, slipped.
        for before, now in sorted(looks, key=lambda look: self._doubt(*look, time)):
            if now is not None and not any(is_same(now.body, k.body) for k in kept):
                kept.append(now)
            else:
                self._lost.append(Lost(before, time, time))
        self._followed = kept

    def _doubt(self, before: Followed, now: Followed | None, time: float) -> tuple[bool, float]:
        """The less the surer that a look shows the same person as before."""
        return time - before.since <= PROBATION, now.moved if now else np.inf

    def _look(self, image: np.ndarray, person: Followed, time: float) -> Followed | None:
        known = time - person.since > PROBATION
        holds = self._holds if known else self._convinces
        body = self._networks.landmarks(image, person.body.region, person.slot)
        if body is None or not holds(body, image):
            return None
        if not is_near(body.region, person.body.region, SECOND_LOOK):
            again = self._networks.landmarks(image, body.region, person.slot)
            if again is not None and holds(again, image):
                body = again
        if is_turned(body.region, person.body.region):
            return None
        return replace(person, body=body, moved=distance(body, person.body))

    def _regain(self, image: np.ndarray, time: float) -> list[Tile]:
        """Look again for one of the lost, in turn; a square to search if that did not help."""
        kept = max(self._config.lost_seconds, self._config.remembered_seconds)
        self._lost = [x for x in self._lost if time - x.time <= kept]
        turn = next((i for i, x in enumerate(self._lost) if x.due <= time), None)
        if turn is None or self._is_full():
            return []
        lost = self._lost.pop(turn)
        region = lost.person.body.region
        if time - lost.time > self._config.lost_seconds:
            side = REMEMBERED_TILES[lost.looks % len(REMEMBERED_TILES)] * region.size
            later = replace(lost, due=time + REMEMBERED_EVERY, looks=lost.looks + 1)
            self._lost.append(later)
            return [tile_around(region.x, region.y, side)]
        slot = self._free_slot()
        body = self._networks.landmarks(image, region, slot)
        if body is not None and self._is_back(body, image):
            self._followed.append(Followed(slot, body, time))
            return []
        self._lost.append(lost)
        return [tile_around(region.x, region.y, LOST_TILE * region.size)]

    def _due(self, image: np.ndarray, time: float) -> list[Tile]:
        """The squares whose turn it is to be searched for newcomers."""
        height, width = image.shape[:2]
        config = self._config
        interval = config.scan_interval if self._followed else config.idle_scan_interval
        sizes = [f.body.region.size for f in self._followed]
        return self._rota.take(width, height, time, interval, sizes)

    def _least(self, region: Region, image: np.ndarray) -> float:
        """Score from which a place is looked at more closely: what is small is more often something
        else."""
        small = region.size < SMALL_REGION * min(image.shape[:2])
        return max(self._config.min_detection, SMALL_DETECTION if small else 0.0)

    def _meet(self, image: np.ndarray, region: Region, time: float) -> None:
        """Take up the person in `region`, unless they are known or there is none."""
        if self._is_full() or self._knows(region):
            return
        slot = self._free_slot()
        body = self._networks.landmarks(image, region, slot)
        if body is None or not self._convinces(body, image):
            return
        body = self._networks.landmarks(image, body.region, slot)
        if body is None or not self._convinces(body, image):
            return
        if any(is_double(body, f.body) for f in self._followed):
            return
        self._followed.append(Followed(slot, body, time))
        self._lost = [
            x for x in self._lost if not is_near(x.person.body.region, body.region, FOUND_GAP)
        ]

    def _is_full(self) -> bool:
        return len(self._followed) >= self._config.max_people

    def _free_slot(self) -> int:
        return min(set(range(self._config.max_people)) - {f.slot for f in self._followed})

    def _knows(self, region: Region) -> bool:
        return any(is_near(region, f.body.region, KNOWN_GAP) for f in self._followed)

    def _is_back(self, body: Body, image: np.ndarray) -> bool:
        """Whether a lost person is seen again where they were lost, and not someone else."""
        sure = body.presence >= self._config.min_new and self._holds(body, image)
        return sure and not any(is_same(body, f.body) for f in self._followed)

    def _convinces(self, body: Body, image: np.ndarray) -> bool:
        """Whether a newcomer is one."""
        sure = body.presence >= self._config.min_new and is_upright(body)
        return sure and self._holds(body, image)

    def _holds(self, body: Body, image: np.ndarray) -> bool:
        """Whether someone who is followed is still there."""
        height, width = image.shape[:2]
        smallest = self._config.min_size * min(width, height)
        present = body.presence >= self._config.min_presence
        return present and is_plausible(body, width, height, smallest)
