"""Inside the pair of short sequences that was clicked while the camera runs, as for files."""

from __future__ import annotations

from dataclasses import replace

from plotly.graph_objects import Figure

from app import figures
from app.attention_updates import ASK_A_CELL, tokens
from app.engine import Engine, NotReady
from app.live_attention import LiveAttention, Opened, look_into
from skeletr.token_attention import look_again

_GONE = "Too little is left of that moment. Click another cell."


def tokens_of(attention: LiveAttention, engine: Engine) -> Figure:
    """The map inside the pair that was clicked last, by the chosen layer and head.

    The model is asked when a pair is new, which takes a fraction of a second, and never otherwise.
    """
    opened = attention.opened
    if opened is None:
        return figures.message(ASK_A_CELL)
    try:
        known = opened.inside is not None or _ask(opened, engine)
    except NotReady as error:
        return figures.message(str(error))
    if not known:
        return figures.message(_GONE)
    choice = replace(attention.choice, pair=opened.pair)
    return tokens(opened.inside, choice.within(opened.inside.sequences))


def _ask(opened: Opened, engine: Engine) -> bool:
    """Whether the model could say what is inside."""
    shown = opened.shown
    with engine.model() as checkpoint:
        found = look_again(shown.recording, shown.key, shown.attention, checkpoint)
    if found is not None:
        opened.inside = look_into(found, opened.pair)
    return found is not None
