"""One vocabulary of plain words for all data sets; what is the same action is one label.

Merged: what no eye can tell apart on 13 joints (left or right arm, "as fast as you can", which
letter a finger draws), and the same action under the names of two data sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from skeletr.datasets.clip import DatasetError

STAND = "stand"
SIT = "sit"
COME = "approach someone"
GO = "walk away from someone"
# What two people do on the way to something, or away from it.
PASSING: frozenset[str] = frozenset({COME, GO})

# data set -> {name in the data set: our label}; None: left out, because its name or its file
# does not say what is done.
NAMES: dict[str, dict[str, str | None]] = {
    "sbu": {
        "approach": COME,
        "depart": GO,
        "kick": "kick someone",
        "push": "push someone",
        "shake hands": "shake hands",
        "hug": "hug",
        "exchange object": "hand over an object",
        "punch": "punch someone",
    },
    "kinder_gator": {
        "Raise-your-hand": "raise a hand",
        "Raise-your-other-hand": "raise a hand",
        "Wave-your-hand": "wave",
        "Wave-your-other-hand": "wave",
        "Bow": "bow",
        "Raise-your-arm-to-one-side": "raise an arm to the side",
        "Raise-your-arm-to-the-other-side": "raise an arm to the side",
        "Bend-your-knee-while-raising-your-leg": "raise a knee",
        "Bend-your-other-knee-while-raising-your-leg": "raise a knee",
        "Point-at-the-camera": "point",
        "Push-an-imaginary-button-in-front-of-you": "point",
        "Signal-someone-to-stop": "signal to stop",
        "Signal-someone-to-come-here": "beckon",
        "Swipe-across-an-imaginary-screen-in-front-of-you-from-right-to-left": "swipe",
        "Swipe-across-an-imaginary-screen-in-front-of-you-from-left-to-right": "swipe",
        "Draw-a-circle": "draw in the air",
        "Draw-a-square": "draw in the air",
        "Draw-a-triangle": "draw in the air",
        "Draw-the-letter-A": "draw in the air",
        "Draw-the-letter-C": "draw in the air",
        "Draw-the-letter-K": "draw in the air",
        "Draw-the-letter-M": "draw in the air",
        "Draw-the-letter-X": "draw in the air",
        "Make-the-letter-A": "make the letter A",
        "Make-the-letter-C": "make the letter C",
        "Make-the-letter-K": "make the letter K",
        "Make-the-letter-M": "make the letter M",
        "Make-the-letter-P": "make the letter P",
        "Make-the-letter-T": "make the letter T",
        "Make-the-letter-X": "make the letter X",
        "Make-the-letter-Y": "make the letter Y",
        "Put-your-hands-on-your-hips-and-lean-to-the-side": "lean to the side",
        "Put-your-hands-on-your-hips-and-lean-to-the-other-side": "lean to the side",
        "Put-your-hands-on-your-hips-and-twist": "twist the hips",
        "Touch-your-toes": "touch the toes",
        "Do-a-forward-lunge": "lunge",
        "Lift-your-leg-to-one-side": "lift a leg to the side",
        "Lift-your-leg-to-the-other-side": "lift a leg to the side",
        "Walk-in-place": "walk",
        "Walk-in-place-as-fast-as-you-can": "walk",
        "Run-in-place": "run",
        "Run-in-place-as-fast-as-you-can": "run",
        "Jump": "jump",
        "Jump-as-high-as-you-can": "jump",
        "Do-two-jumping-jacks": "jumping jacks",
        "Fly-like-a-bird": "flap the arms",
        "Fly-like-an-airplane": "fly like an airplane",
        "Swim": "swim",
        "Kick-a-ball": "kick",
        "Kick-a-ball-as-far-as-you-can": "kick",
        "Kick-a-ball-with-the-other-leg": "kick",
        "Kick-a-ball-as-far-as-you-can-with-the-other-leg": "kick",
        "Throw-a-ball": "throw",
        "Throw-a-ball-as-far-as-you-can": "throw",
        "Throw-a-ball-with-your-other-arm": "throw",
        "Throw-a-ball-as-far-as-you-can-with-the-other-arm": "throw",
        "Punch": "punch the air",
        "Climb-and-imaginary-ladder": "climb",
    },
    "jhmdb": {
        "pour": "pour",
        "pullup": "pull-ups",
        "throw": "throw",
        "catch": "catch",
        "clap": "clap",
        "wave": "wave",
        "golf": "golf swing",
        "push": "push an object",
        "run": "run",
        "walk": "walk",
        "pick": "pick something up",
        "sit": "sit down",
        "jump": "jump",
        "stand": "stand up",
    },
    "penn_action": {
        "baseball_pitch": "pitch a baseball",
        "baseball_swing": "swing a baseball bat",
        "bench_press": "bench press",
        "bowl": "bowl",
        "clean_and_jerk": "lift a barbell",
        "golf_swing": "golf swing",
        "jump_rope": "skip rope",
        "jumping_jacks": "jumping jacks",
        "pullup": "pull-ups",
        "pushup": "push-ups",
        "situp": "sit-ups",
        "squat": "squat",
        "strum_guitar": "play the guitar",
        "tennis_forehand": "tennis forehand",
        "tennis_serve": "tennis serve",
    },
    "kard": {
        "horizontal arm wave": "wave",
        "high arm wave": "wave",
        "two-hand wave": "wave",
        "catch cap": None,
        "high throw": "throw",
        "draw X": "draw in the air",
        "draw tick": "draw in the air",
        "toss paper": "throw",
        "forward kick": "kick",
        "side kick": "kick",
        "take umbrella": None,
        "bend": "bow",
        "hand clap": "clap",
        "walk": "walk",
        "phone call": "phone call",
        "drink": "drink",
        "sit down": "sit down",
        "stand up": "stand up",
    },
    "utkinect": {
        "walk": "walk",
        "sitDown": "sit down",
        "standUp": "stand up",
        "pickUp": "pick something up",
        "carry": "carry something",
        "throw": "throw",
        "push": "push an object",
        "pull": "pull an object",
        "waveHands": "wave",
        "clapHands": "clap",
    },
    "msr_action3d": {
        "high arm wave": "wave",
        "horizontal arm wave": "wave",
        "hammer": "hammer",
        "hand catch": "catch",
        "forward punch": "punch the air",
        "high throw": "throw",
        "draw X": "draw in the air",
        "draw tick": "draw in the air",
        "draw circle": "draw in the air",
        "hand clap": "clap",
        "two hand wave": "wave",
        "side boxing": "punch the air",
        "bend": "bow",
        "forward kick": "kick",
        "side kick": "kick",
        "jogging": "run",
        "tennis swing": "tennis forehand",
        "tennis serve": "tennis serve",
        "golf swing": "golf swing",
        "pick up and throw": None,
    },
    "florence3d": {
        "wave": "wave",
        "drink": "drink",
        "answer phone": "phone call",
        "clap": "clap",
        "tight lace": "tie a shoelace",
        "sit down": "sit down",
        "stand up": "stand up",
        "read watch": "check the watch",
        "bow": "bow",
    },
    # What `cmu_mocap.action_of` finds in the free text of a take.
    "cmu_mocap": {
        "walk": "walk",
        "run": "run",
        "jump": "jump",
        "punch": "punch the air",
        "dance": "dance",
        "dribble": "dribble a ball",
        "climb": "climb",
        "other": None,
    },
    "urfd": {"not lying": None, "falling": None, "lying": None},
}

# Both people of a pair carry these, and so does the scene.
INTERACTIONS: frozenset[str] = frozenset(label for label in NAMES["sbu"].values() if label)

# Actions that go on and on: their clips may be repeated without a break.
PERIODIC: frozenset[str] = frozenset(
    {
        "clap",
        "wave",
        "walk",
        "run",
        "pull-ups",
        "push-ups",
        "sit-ups",
        "squat",
        "skip rope",
        "jumping jacks",
        "play the guitar",
        "bench press",
        "swim",
        "climb",
        "dance",
        "dribble a ball",
        "hammer",
        "carry something",
        "flap the arms",
        "twist the hips",
        "jump",
    }
)


def label_of(dataset: str, name: str) -> str | None:
    """Our label for the name of an action in a data set; None if that action is left out.

    Raises:
        DatasetError: the data set has no such action.
    """
    names = NAMES[dataset]
    if name not in names:
        raise DatasetError(f"{dataset} has no action {name!r}; expected one of {sorted(names)}")
    return names[name]


def labels_of(dataset: str) -> tuple[str, ...]:
    """The labels a data set brings, sorted."""
    return tuple(sorted({label for label in NAMES[dataset].values() if label}))


def vocabulary(datasets: Iterable[str]) -> tuple[str, ...]:
    """All labels of several data sets and those of people who do nothing, sorted."""
    labels = {label for name in datasets for label in labels_of(name)}
    return tuple(sorted(labels | {STAND, SIT}))


def merges(datasets: Iterable[str]) -> dict[str, list[str]]:
    """The labels that stand for several names: label -> ["data set: name", ...]."""
    sources: dict[str, list[str]] = {}
    for dataset in datasets:
        for name, label in NAMES[dataset].items():
            if label:
                sources.setdefault(label, []).append(f"{dataset}: {name}")
    return {label: names for label, names in sorted(sources.items()) if len(names) > 1}


def tell_apart(labels: Sequence[str]) -> np.ndarray:
    """(K, K) bool, symmetric: whether some clip says that it shows one of two labels and not the
    other, because one data set has both.

    Resting is told apart from everything, and so is what two people do with each other: scenes
    show the same motions beside somebody and at somebody.
    """
    always = INTERACTIONS | {STAND, SIT}
    member = np.array(
        [[label in labels_of(name) for name in NAMES] for label in labels], dtype=np.int64
    )
    special = np.array([label in always for label in labels])
    return (member @ member.T > 0) | special[:, None] | special[None]
