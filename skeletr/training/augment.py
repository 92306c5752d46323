"""How training samples vary: other cameras, sizes, places, speeds, and a pose model's errors."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from skeletr.datasets.actors import Actor, act, mirror
from skeletr.datasets.camera import Camera
from skeletr.datasets.clip import Clip
from skeletr.datasets.motion import take_of
from skeletr.datasets.noise import NoiseConfig, clean, crop, entangle, estimate
from skeletr.datasets.scenes import IMAGE_SIZES, SceneConfig, frame_times, place
from skeletr.recording import Action, Recording
from skeletr.skeleton import COCO_FLIP

_SHORTEST = 0.5  # seconds of a scene


@dataclass(frozen=True)
class AugmentConfig:
    """Strengths and chances; 0 switches off.

    camera: strength of the random camera of clips in three dimensions, 1 = as in composed scenes.
    half_body: chance that clips are seen from so near that legs are cut off. rate: lowest and
    highest frames per second at which clips are seen. mirror: chance of a mirrored picture.
    scale: of recordings, in logarithms; shift: in pictures; speed: in logarithms; all up to that
    much in both directions. noisy: chance of pose errors at all, noise: their strengths.
    """

    camera: float = 1.0
    half_body: float = 0.0
    rate: tuple[float, float] = (12.0, 30.0)
    mirror: float = 0.5
    scale: float = 0.25
    shift: float = 0.1
    speed: float = 0.15
    noisy: float = 0.6
    noise: NoiseConfig = field(default_factory=NoiseConfig)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", tuple(self.rate))
        if isinstance(self.noise, dict):
            object.__setattr__(self, "noise", NoiseConfig(**self.noise))
        strengths = (self.camera, self.scale, self.shift, self.speed)
        chances = (self.half_body, self.mirror, self.noisy)
        if min(strengths) < 0 or min(chances) < 0 or max(chances) > 1:
            raise ValueError(f"strengths must not be negative, chances lie in 0..1: {self}")
        if len(self.rate) != 2 or not 0 < self.rate[0] <= self.rate[1]:
            raise ValueError(f"rate is {self.rate}, expected 0 < lowest <= highest")


def clip_scene(clip: Clip, config: AugmentConfig, rng: np.random.Generator) -> Recording:
    """A clip as one scene before a random camera, called by its own name (`Clip.original`)."""
    # By the vocabulary's name, which says whether an action may be repeated or played backwards.
    take = take_of(clip if clip.label else replace(clip, label=clip.original))
    length = max(take.action.end - take.action.start, _SHORTEST) * float(rng.uniform(0.9, 1.3))
    times = frame_times(SceneConfig(duration=(length, length), rate=config.rate), rng)
    actor = act(take, times, _camera(config.camera, rng), rng)
    if rng.random() < config.mirror:
        actor = mirror(actor)
    size = IMAGE_SIZES[rng.integers(len(IMAGE_SIZES))]
    (pixels,) = place([actor], times, size, rng.random() < config.half_body, rng)
    noise = config.noise if rng.random() < config.noisy else None
    people = [
        crop(clean(xy, seen) if noise is None else estimate(xy, seen, times, noise, rng), size)
        for xy, seen in zip(pixels, actor.seen, strict=True)
    ]
    joints = np.stack(people) if noise is None else entangle(np.stack(people), noise, rng)
    actions = _actions(actor, take.action.label, clip.original, float(times[-1]))
    return Recording.from_arrays(joints, times, size, actions)


def _camera(strength: float, rng: np.random.Generator) -> Camera:
    drawn = Camera.random(rng, all_round=False)
    return Camera(
        strength * drawn.yaw, strength * drawn.pitch, strength * drawn.roll, drawn.distance
    )


def _actions(actor: Actor, played: str, name: str, end: float) -> list[Action]:
    """The action of everybody by the data set's name; resting before and after is no label."""
    return [
        Action(name, person, max(span.start, 0.0), min(span.end, end))
        for person, spans in enumerate(actor.spans)
        for span in spans
        if span.label == played and span.end > 0 and span.start < end
    ]


def vary(recording: Recording, config: AugmentConfig, rng: np.random.Generator) -> Recording:
    """A recording moved, scaled, mirrored, faster or slower, and with pose errors.

    Whoever is moved out of the picture is not there any more.
    """
    size = np.array(recording.image_size, np.float32)
    factor = float(np.exp(rng.uniform(-config.scale, config.scale)))
    offset = size / 2 * (1 - factor) + rng.uniform(-config.shift, config.shift, 2) * size
    joints = recording.keypoints.copy()
    joints[..., :2] = joints[..., :2] * factor + offset
    boxes = (recording.boxes * factor + np.tile(offset, 2)).astype(np.float32)
    if rng.random() < config.mirror:
        joints, boxes = _mirrored(joints, boxes, float(size[0]))
    stretch = float(np.exp(rng.uniform(-config.speed, config.speed)))
    times = recording.frame_times * stretch
    if rng.random() < config.noisy:
        joints = _with_errors(joints, recording.person, times[recording.frame], config.noise, rng)
    joints = crop(np.where(joints[..., 2:] > 0, joints, 0), recording.image_size)
    there = (joints[..., 2] > 0).any(axis=-1)
    return replace(
        recording,
        frame_times=times,
        frame=recording.frame[there],
        person=recording.person[there],
        keypoints=joints[there],
        boxes=boxes[there],
        actions=tuple(
            replace(a, start=a.start * stretch, end=a.end * stretch) for a in recording.actions
        ),
    )


def _mirrored(joints: np.ndarray, boxes: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """x turned round, left and right joints exchanged."""
    joints = joints[:, list(COCO_FLIP)]
    joints[..., 0] = width - joints[..., 0]
    boxes = boxes.copy()
    boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    return joints, boxes


def _with_errors(
    joints: np.ndarray,
    person: np.ndarray,
    times: np.ndarray,
    noise: NoiseConfig,
    rng: np.random.Generator,
) -> np.ndarray:
    """Errors of a pose model for one person after the other; scores are lowered, never raised."""
    out = joints.copy()
    for number in np.unique(person):
        rows = np.flatnonzero(person == number)
        found = estimate(joints[rows, :, :2], joints[rows, :, 2] > 0, times[rows], noise, rng)
        found[..., 2] *= joints[rows, :, 2]
        out[rows] = found
    return out.astype(np.float32)
