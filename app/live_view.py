"""What the *Live* tab says about attention and about what can be saved, as HTML."""

from __future__ import annotations

from app import views
from app.attention_view import Choice
from app.live_attention import MARKED, Pair
from app.settings import AppSettings
from skeletr.session import Session

WHO = (
    "<h3>Who looks at whom</h3><p>The last seconds of everybody, in short sequences. Each row "
    "looks, each column is looked at. Click a head to see it alone, also in the picture. "
    "<b>Click a cell</b>: the page goes to the picture, where its two people are marked.</p>"
)
HEADS_HINT = "Start the camera: the heads of the model appear here, each with what it does mostly."
NOBODY = "Nobody is in view. Step in front of the camera: the heads appear here again."
NOT_YET = "Watching. The heads appear here once somebody was seen for a second and a half."
MAP_HINT = "Start the camera: who looks at whom appears here."  # short enough for a phone
PAIR_HINT = f"Click a cell of a map: its two people are marked for {MARKED:g} seconds."
PAIR_GONE = "That cell has just left the map. Click another one."
NOTHING_KEPT = "There is nothing to save yet. Start the camera and step in front of it."


def pair(found: Pair, choice: Choice) -> str:
    """Who looks at whom in a cell, how much, and where that was measured."""
    share = f"{found.weight:.1%} of the attention goes there, {_where(choice)}."
    told = (
        f"{views.number(found.looks)} <b>looks</b>{_at(found.looks_at)} at "
        f"{views.number(found.seen)}{_at(found.seen_at)}"
    )
    return (
        f'<div class="sk-card sk-live-pair" data-looks="{found.looks}" data-seen="{found.seen}" '
        f'role="status">{told}<span class="sk-quiet">{share}</span></div>'
    )


def kept(settings: AppSettings) -> str:
    """How much can be saved, and what becomes of it."""
    return (
        f'<p class="sk-meta">The last {settings.live_seconds / 60:g} minutes are kept in memory, '
        "without pictures, until the camera is started anew or you close the page.</p>"
    )


def saved(session: Session, size: int) -> str:
    """What was saved; size in bytes."""
    recording = session.recording
    people = len(recording.people)
    crowd = "1 person" if people == 1 else f"{people} people"
    seconds = recording.end - recording.start
    return views.note(
        f"Saved: {seconds:.0f} s of {crowd}, {_large(size)} without pictures. Drop the file "
        "under Video to explore and replay it."
    )


def _large(size: int) -> str:
    """A number of bytes in words."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(size / 1e3, 1):.0f} KB"


def _where(choice: Choice) -> str:
    layer = "all layers" if choice.layer is None else f"layer {choice.layer + 1}"
    return f"{'all heads' if choice.head is None else f'head {choice.head + 1}'} of {layer}"


def _at(time: float | None) -> str:
    return "" if time is None else f" ({time:.1f} s)"
