"""What if somebody, or a while, were not there: the others' scores before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from app.views import note, number
from skeletr.actions import ActionLog, Track
from skeletr.explore import Interval, compare

ASK = (
    "Choose somebody to leave out, or a while, and see what the model then says about the others. "
    "A while takes away the short sequences whose middle lies in it; their neighbours still see a "
    "little of it. Shares are means over the moments that change; of a while, only who is in view "
    "then or within a few seconds of it is shown."
)
_SHOWN = 3  # labels before, and as many after
_SEEN = 0.005  # a change of the mean below it is none to the eye
_TOUCHED = 1e-3  # a moment whose scores all change by less is not concerned
_OTHER = 0.02  # mean change of scores from which on two logs are not of the same model
_NAMED = 3  # labels that are named


@dataclass(frozen=True)
class Shift:
    """The mean probability of one label before and after, and when it changes most.

    time: seconds, of the step that changes most.
    """

    label: str
    before: float
    after: float
    time: float

    @property
    def change(self) -> float:
        """After minus before."""
        return self.after - self.before


def interval(start: float | None, end: float | None, log: ActionLog) -> Interval | None:
    """What two fields of the page mean: open ends are those of the video.

    Raises ValueError where the end lies before the start.
    """
    if start is None and end is None:
        return None
    found = (
        log.scene.start if start is None else float(start),
        log.scene.end if end is None else float(end),
    )
    if found[0] > found[1]:
        raise ValueError(
            f"The while to leave out begins at {found[0]:g} s and ends at {found[1]:g} s. "
            "Give an end that is later."
        )
    return found


def shifts(before: ActionLog, after: ActionLog) -> dict[int | None, list[Shift]]:
    """Per person, and for the scene (None), the labels that matter before or after.

    Means are over the steps that change, of those at which something was predicted in both; over
    all of those where none does.
    """
    return {
        c.person: _shifts(_track(before, c.person), c.times, c.change, before.labels)
        for c in compare(before, after)
    }


def answer(before: ActionLog, after: ActionLog, left_out: str) -> str:
    """A table: who, and the bars as it was beside those without `left_out`."""
    found = {p: rows for p, rows in shifts(before, after).items() if rows}
    if not found:
        return note(f"Without {left_out} nobody is left to say something about. Leave out less.")
    body = "".join(_section(person, rows) for person, rows in found.items())
    return (
        '<div class="sk-card"><table class="sk-what-if"><thead><tr><th>Label</th><th>As it was</th>'
        f"<th>Without {escape(left_out)}</th><th>Change</th></tr></thead>"
        f"{body}</table></div>"
    )


def remark(shown: ActionLog, before: ActionLog) -> str:
    """What to know of "as it was", as HTML, where it is not what the page shows.

    Args:
        shown: of the page, perhaps saved by another model, or one that was taught.
        before: of the model that answers, with nothing left out.
    """
    gone = [f"“{label}”" for label in shown.labels if label not in before.labels]
    if gone:
        more = f" and {len(gone) - _NAMED} more" if len(gone) > _NAMED else ""
        return note(
            f"The model of today does not know {', '.join(gone[:_NAMED])}{more}, which this was "
            "recognised with: below, other labels stand for that. What you taught it, load it "
            "under Teach and recognise this once more.",
            "warning",
        )
    if _difference(shown, before) > _OTHER:
        return note(
            "“As it was” is what the model of today says, a little else than the labels above, "
            "which are shown as they were saved.",
            "warning",
        )
    return ""


def _difference(shown: ActionLog, before: ActionLog) -> float:
    """Mean over people's steps of the greatest change of a score; 0 where there is none in both."""
    order = [before.labels.index(label) for label in shown.labels]
    changes = []
    for person, track in shown.people.items():
        other = before.people.get(person)
        for time, prediction in zip(track.times.tolist(), track.predictions, strict=True):
            now = other and other.at(time, shown.interval / 2)
            if now and prediction.scores.any() and now.scores.any():
                changes.append(float(np.abs(now.scores[order] - prediction.scores).max()))
    return float(np.mean(changes)) if changes else 0.0


def named(people: Sequence[int], left_out: Interval | None) -> str:
    """What is left out, in words."""
    who = " and ".join(f"person {p}" for p in people) or "everybody"
    if left_out is None:
        return who
    return f"{who} from {left_out[0]:g} to {left_out[1]:g} s"


def _shifts(
    track: Track, times: np.ndarray, change: np.ndarray, labels: Sequence[str]
) -> list[Shift]:
    if not len(times):
        return []
    touched = np.abs(change).max(axis=1) > _TOUCHED
    if touched.any():  # a few seconds are not to drown in the rest of a long video
        times, change = times[touched], change[touched]
    scores = {round(t, 6): p.scores for t, p in zip(track.times, track.predictions, strict=True)}
    before = np.mean([scores[t] for t in times.tolist()], axis=0)
    after = before + change.mean(axis=0)
    picked = {*np.argsort(-before)[:_SHOWN].tolist(), *np.argsort(-after)[:_SHOWN].tolist()}
    return [
        Shift(
            labels[i],
            float(before[i]),
            float(after[i]),
            float(times[np.abs(change[:, i]).argmax()]),
        )
        for i in sorted(picked, key=lambda i: -max(before[i], after[i]))
    ]


def _track(log: ActionLog, person: int | None) -> Track:
    return log.scene if person is None else log.people[person]


def _section(person: int | None, rows: Sequence[Shift]) -> str:
    who = "Whole video" if person is None else f"{number(person)} Person {person}"
    head = f'<tr><th scope="rowgroup" colspan="4">{who}</th></tr>'
    return f"<tbody>{head}{''.join(f'<tr>{_cells(row)}</tr>' for row in rows)}</tbody>"


def _cells(row: Shift) -> str:
    return (
        f'<td class="sk-label">{escape(row.label)}</td>{_bar(row.before)}{_bar(row.after)}'
        f"<td>{_change(row)}</td>"
    )


def _bar(score: float) -> str:
    return (
        f'<td class="sk-score"><span>{score:.1%}</span>'
        f'<div class="sk-track"><div style="width:{score:.1%}"></div></div></td>'
    )


def _change(row: Shift) -> str:
    """How much, with a button that goes to where it changes most."""
    if abs(row.change) < _SEEN:
        return '<span class="sk-quiet">none</span>'
    sign = "+" if row.change > 0 else "\N{MINUS SIGN}"
    kind = "up" if row.change > 0 else "down"
    return (
        f'<button type="button" class="sk-change sk-{kind}" data-seek="{row.time:.3f}" '
        f'title="Changes most at {row.time:.1f} s: go there">{sign}{abs(row.change):.1%}</button>'
    )
