"""Pieces of the *Teach* tab as HTML; names are escaped, pictures are made of joints only."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import numpy as np

from app.takes import Moment
from app.teaching import MOST_EXAMPLES, Asked, Teaching
from app.thumbnails import thumbnail
from app.views import note, number
from skeletr.recording import Frame, Person, Recording
from skeletr.taught_head import Example, LeaveOneOut
from skeletr.teach import TaughtActions

HINT = (
    "Give the action a name, then record it a few times with the camera, or drop short clips that "
    "show it. Three to five examples are enough, best of different people or in different ways."
)
PRIVATE = (
    "<b>What you teach is yours.</b> It belongs to this page alone and is gone when you close or "
    "reload it, unless you save it. A saved set holds joints, no pictures; whoever you give it to "
    "can load it here, with any model."
)
NOTHING = note(
    "Nothing was taught yet. Name an action above and record it, or drop clips of it: the examples "
    "appear here, each with a small picture."
)
LEARNING = '<div class="sk-take" role="status"><span>Learning…</span></div>'
_POSES = (0.1, 0.5, 0.9)  # moments that a preview shows, as shares of the time
_APART = 1.25  # distance between them, in widths of the person
_GOOD = 0.8  # share of examples recognised from which on an action is well separated


def now(moment: Moment | None) -> str:
    """Over the picture: the countdown, or how long it has been recording."""
    if moment is None:
        return ""
    if moment.left > 0:
        return f'<div class="sk-take" role="status"><b>{int(np.ceil(moment.left))}</b></div>'
    of = f" of {moment.length:g}" if moment.length else ""
    return (
        '<div class="sk-take sk-recording" role="status">'
        f"<span>Recording {moment.done:.1f}{of} s</span></div>"
    )


def question(asked: Asked | None) -> str:
    """Whom of several people an example shows, as buttons with a picture each."""
    if asked is None:
        return ""
    people = "".join(
        f'<button type="button" class="sk-pick" data-pick="{p}" aria-label="Person {p}">'
        f"{preview(asked.recording, p)}<span>{number(p)} Person {p}</span></button>"
        for p in asked.people
    )
    everybody = (
        '<button type="button" class="sk-pick sk-words" data-pick="all">All of them together'
        '</button><button type="button" class="sk-pick sk-words" data-pick="none">Leave it out'
        "</button>"
    )
    return (
        f'<div class="sk-card"><h3>Who shows “{escape(asked.name)}”?</h3>'
        f'<div class="sk-picks">{people}{everybody}</div></div>'
    )


def examples(teaching: Teaching) -> str:
    """Every action with its examples and how well it is told apart."""
    actions, learned = teaching.actions, teaching.learned
    if not actions.examples:
        return NOTHING
    tried = learned.tried if learned else LeaveOneOut({}, {})
    cards = "".join(_action(name, actions, tried) for name in actions.names)
    total = len(actions.examples)
    count = f'<p class="sk-meta">{total} of {MOST_EXAMPLES} examples.</p>'
    return f"{summary(tried, actions)}{cards}{count}"


def summary(tried: LeaveOneOut, actions: TaughtActions) -> str:
    """One sentence about the whole set."""
    asked = sum(sum(a.values()) for a in tried.answers.values())
    if not asked:
        return note("Learned. With a second example it can be checked how well it is told apart.")
    right = sum(answers.get(name, 0) for name, answers in tried.answers.items())
    weak = [n for n, share in tried.accuracy.items() if share < _GOOD]
    text = (
        f"Checked by leaving each example out in turn and asking what the others taught: "
        f"{right} of {asked} were recognised."
    )
    if weak:
        names = " and ".join(f"“{n}”" for n in weak[:3])
        return note(f"{text} More examples of {names} would help.", "warning")
    few = min(actions.count(n) for n in actions.names) < 3
    more = " More examples make it surer." if few else ""
    return note(f"{text} The actions are well told apart.{more}")


def _action(name: str, actions: TaughtActions, tried: LeaveOneOut) -> str:
    pictures = "".join(
        _example(e, index) for index, e in enumerate(actions.examples) if e.name == name
    )
    return (
        f'<div class="sk-card sk-action"><h3>{escape(name)}</h3>{_apart(name, tried)}'
        f'<div class="sk-picks">{pictures}</div></div>'
    )


def _apart(name: str, tried: LeaveOneOut) -> str:
    answers = tried.answers.get(name)
    if not answers:
        return '<p class="sk-meta">One example: too few to check. Show it again.</p>'
    asked, right = sum(answers.values()), answers.get(name, 0)
    others = sorted(((n, a) for a, n in answers.items() if a != name), reverse=True)
    taken = ", ".join(f"“{escape(a)}”{f' ({n} times)' if n > 1 else ''}" for n, a in others)
    confused = f" Taken for {taken}." if taken else ""
    share = right / asked
    return (
        f'<div class="sk-bar"><span class="sk-label">{right} of {asked} recognised when left out.'
        f'{confused}</span><span class="sk-score">{share:.0%}</span>'
        f'<div class="sk-track"><div style="width:{share:.1%}"></div></div></div>'
    )


def _example(example: Example, index: int) -> str:
    recording = example.recording
    seconds = recording.end - recording.start
    name = escape(example.name, quote=True)
    return (
        f'<div class="sk-example">{preview(recording, example.person)}<span>{seconds:.1f} s</span>'
        f'<button type="button" data-remove="{index}" title="Delete this example" '
        f'aria-label="Delete an example of {name}">&times;</button></div>'
    )


def preview(recording: Recording, person: int | None) -> str:
    """SVG of one person at three moments, or of everybody (None) in the middle."""
    frames = [f for f in recording.frames() if any(p.id == person for p in f.people)]
    if person is None or not frames:
        frames = [f for f in recording.frames() if f.people]
        return thumbnail(Recording.from_frames(frames, recording.image_size))
    shown = [frames[round(s * (len(frames) - 1))] for s in _POSES]
    people = [next(p for p in f.people if p.id == person) for f in shown]
    step = _APART * max(float(p.box[2] - p.box[0]) for p in people)
    row = tuple(_beside(p, i * step) for i, p in enumerate(people))
    return thumbnail(Recording.from_frames([Frame(0.0, row)], recording.image_size))


def _beside(person: Person, left: float) -> Person:
    """The same, its box beginning at `left` pixels."""
    move = np.float32(left - person.box[0])
    keypoints, box = person.keypoints.copy(), person.box.copy()
    keypoints[:, 0] += move
    box[[0, 2]] += move
    return replace(person, keypoints=keypoints, box=box)
