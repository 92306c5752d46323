"""Training scenes composed from clips; each becomes a `Recording`, as live video does."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from skeletr.datasets.acting import ACTED, acted
from skeletr.datasets.actors import Actor, act, bodies, embody, mirror, on_plane, tempo, then
from skeletr.datasets.camera import Camera, project
from skeletr.datasets.chains import chain
from skeletr.datasets.noise import NoiseConfig, crop, entangle, estimate, wander
from skeletr.datasets.pool import TakePool
from skeletr.datasets.staging import can_stage, stage
from skeletr.datasets.two_people import shoot_one, turned
from skeletr.datasets.variations import come_or_go, hold_still, roam
from skeletr.datasets.vocabulary import STAND
from skeletr.recording import Action, Recording

_TO_THE_CAMERA = -90.0  # degrees, see `turned`
IMAGE_SIZES = ((640, 480), (1280, 720), (720, 1280), (1280, 720), (640, 480), (1080, 1080))


@dataclass(frozen=True)
class SceneConfig:
    """How scenes are composed.

    duration: shortest and longest, seconds. rate: lowest and highest frames per second.
    pair: share of scenes with two people who interact; staged: share of those that are made from
    two clips of one person; chain: share of the others in which the two do several things, one
    after the other; bystander: share of scenes of a pair with one more.
    acted: chance that an everyday action of one person is acted by somebody who was recorded
    standing, where it can be: see `skeletr.datasets.acting`.
    crowd: chances of 1, 2, 3, 4 single people. together: chance that all do the same.
    change: chance that a person does a second thing. half_body: chance of a close camera that
    cuts off the legs. mirror: chance of a mirrored picture. noisy: chance of pose noise at all.
    still: chance that a single person stops in mid-movement and stands there for the whole scene;
    roam: chance that somebody who walks or runs does so through the picture; enter: chance that
    somebody who moves through it comes in or goes out at its border.
    """

    duration: tuple[float, float] = (1.5, 5.2)
    rate: tuple[float, float] = (8.0, 30.0)
    pair: float = 0.27
    staged: float = 0.35
    chain: float = 0.5
    bystander: float = 0.25
    acted: float = 0.0
    crowd: tuple[float, ...] = (0.6, 0.23, 0.12, 0.05)
    together: float = 0.3
    change: float = 0.2
    half_body: float = 0.28
    mirror: float = 0.5
    noisy: float = 0.93
    still: float = 0.06
    roam: float = 0.5
    enter: float = 0.35
    noise: NoiseConfig = field(default_factory=NoiseConfig)

    def __post_init__(self) -> None:
        object.__setattr__(self, "duration", tuple(self.duration))
        object.__setattr__(self, "rate", tuple(self.rate))
        object.__setattr__(self, "crowd", tuple(self.crowd))
        if isinstance(self.noise, dict):
            object.__setattr__(self, "noise", NoiseConfig(**self.noise))
        if not 0 < self.duration[0] <= self.duration[1] or not 0 < self.rate[0] <= self.rate[1]:
            raise ValueError(f"duration {self.duration} and rate {self.rate}: expected 0 < a <= b")
        if not self.crowd or min(self.crowd) < 0 or abs(sum(self.crowd) - 1) > 1e-6:
            raise ValueError(f"crowd is {self.crowd}, expected chances that add up to 1")


def compose(pool: TakePool, config: SceneConfig, rng: np.random.Generator) -> Recording:
    """One random scene of people who act, with a label for every span of every person."""
    times = frame_times(config, rng)
    actors = _cast(pool, times, config, rng)
    if rng.random() < config.mirror:
        actors = [mirror(a) for a in actors][::-1]
    image_size = IMAGE_SIZES[rng.integers(len(IMAGE_SIZES))]
    placed = place(actors, times, image_size, rng.random() < config.half_body, rng)
    noise = config.noise if rng.random() < config.noisy else NoiseConfig.none()
    people, actions = [], []
    for actor, pixels in zip(actors, placed, strict=True):
        if len(pixels) == 1 and rng.random() < config.enter:
            pixels = come_or_go(pixels, image_size, rng)
        for xy, seen, spans in zip(pixels, actor.seen, actor.spans, strict=True):
            seen_by = estimate(xy, seen, times, noise, rng)
            actions += [
                Action(s.label, len(people), max(s.start, 0.0), min(s.end, float(times[-1])))
                for s in spans
                if s.end > 0 and s.start < times[-1]
            ]
            people.append(crop(seen_by, image_size))
    joints = entangle(np.stack(people), noise, rng)
    return Recording.from_arrays(joints, times, image_size, actions)


def frame_times(config: SceneConfig, rng: np.random.Generator) -> np.ndarray:
    """Times of the frames from 0, at a random rate, jittered as those of a busy webcam."""
    duration = float(rng.uniform(*config.duration))
    rate = float(rng.uniform(*config.rate))
    jitter = float(rng.choice([0.0, 0.1, 0.35]))
    steps = (1 + rng.uniform(-jitter, jitter, int(duration * rate) + 2)) / rate
    times = np.concatenate([[0.0], np.cumsum(steps)])
    return times[times <= duration + 1e-9]


def _cast(
    pool: TakePool, times: np.ndarray, config: SceneConfig, rng: np.random.Generator
) -> list[Actor]:
    if pool.has_pairs and (rng.random() < config.pair or not pool.has_singles):
        actors = [_pair(pool, times, config, rng)]
        if pool.has_singles and rng.random() < config.bystander:
            actors.append(_single(pool, times, None, config, rng))
            rng.shuffle(actors)
        return actors
    count = 1 + int(rng.choice(len(config.crowd), p=config.crowd))
    label = pool.single(rng).action.label if rng.random() < config.together else None
    return [_single(pool, times, label, config, rng) for _ in range(count)]


def _pair(
    pool: TakePool, times: np.ndarray, config: SceneConfig, rng: np.random.Generator
) -> Actor:
    camera = Camera.random(rng, all_round=True)
    if rng.random() < config.staged and can_stage(pool):
        return stage(pool, times, camera, rng)
    take = pool.pair(rng)
    if take.clip.points.shape[-1] == 3 and rng.random() < config.chain:
        body = bodies(chain(pool, take, float(times[-1]), tempo(rng), rng), times, rng)
        xy = project(body.points, camera) / body.height
        return on_plane(xy, body.seen, (body.spans,) * len(xy), times, rng)
    return act(take, times, camera, rng)


def _single(
    pool: TakePool,
    times: np.ndarray,
    label: str | None,
    config: SceneConfig,
    rng: np.random.Generator,
) -> Actor:
    camera = Camera.random(rng, all_round=rng.random() < 0.1)
    actor = _perform(pool, label, times, camera, config, rng)
    if rng.random() < config.still:
        actor = hold_still(actor, times, rng) or actor
    elif rng.random() < config.roam:
        actor = roam(actor, times, rng)
    if label is None and rng.random() < config.change:
        second = _perform(pool, None, times, camera, config, rng)
        actor = then(actor, second, times, float(rng.uniform(0.3, 0.7) * times[-1]))
    return actor


def _perform(
    pool: TakePool,
    label: str | None,
    times: np.ndarray,
    camera: Camera,
    config: SceneConfig,
    rng: np.random.Generator,
) -> Actor:
    """One person doing one thing, as it was recorded or as somebody acts it."""
    take = pool.single(rng, label)
    name = take.action.label
    if name not in ACTED or rng.random() >= config.acted or STAND not in pool.spatial_labels():
        return act(take, times, camera, rng)
    stands = turned(embody(pool.spatial(rng, STAND), times, rng), _TO_THE_CAMERA)
    return shoot_one(acted(name, stands, times, rng), times, camera, rng)


def place(
    actors: list[Actor],
    times: np.ndarray,
    image_size: tuple[int, int],
    half_body: bool,
    rng: np.random.Generator,
) -> list[np.ndarray]:
    """Put actors side by side into the picture: (P, T, 17, 2) pixels for each."""
    width, height = image_size
    extents = [a.extent for a in actors]
    spans = np.array([high - low for low, high in extents])
    gap = float(rng.uniform(0.05, 0.6))
    row = spans[:, 0].sum() + gap * (len(actors) - 1)
    scale = _scale(row, spans[:, 1].max(), image_size, half_body, rng)
    free = width - row * scale
    left = float(rng.uniform(min(0.0, 0.5 * free), max(0.5 * free, free)))
    shake = float(rng.choice([0.0, 0.0, 0.02])) * width * wander(times, (2,), rng)
    out = []
    for actor, (low, high) in zip(actors, extents, strict=True):
        top = _top(height, (high - low)[1] * scale, half_body, rng)
        size = scale * float(np.exp(rng.normal(0, 0.06)))
        origin = np.array([left - low[0] * scale, top - low[1] * scale])
        out.append((actor.xy * size + origin + shake[:, None]).astype(np.float32))
        left += ((high - low)[0] + gap) * scale
    return out


def _scale(
    row: float, tall: float, image_size: tuple[int, int], half_body: bool, rng: np.random.Generator
) -> float:
    """Pixels per height: whole bodies that fit, or so close that the legs are cut off."""
    width, height = image_size
    if half_body:
        return height * float(rng.uniform(1.15, 2.3)) / max(tall, 0.6)
    largest = min(1.05 * height / max(tall, 0.1), 1.1 * width / max(row, 0.1))
    return largest * float(rng.uniform(0.3, 1.0))


def _top(height: int, tall: float, half_body: bool, rng: np.random.Generator) -> float:
    """Where the top of a person is, in pixels."""
    if half_body:
        return height * float(rng.uniform(0.02, 0.3))
    free = height - tall
    return float(rng.uniform(min(0.0, free), max(0.0, free)))
