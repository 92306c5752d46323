"""Choosing a moment, layer, head or pair: what then changes on the page."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from types import SimpleNamespace

from plotly.graph_objects import Figure

from app import attention_view, figures, scene_data
from app.attention_view import Choice
from app.engine import NotReady
from app.exploration import Exploration
from app.outcome import Outcome
from skeletr.actions import ActionLog, Attention
from skeletr.token_attention import PairAttention, WindowAttention

MEAN = "Mean"
_OTHER = 0.01  # difference of a cell from which on it is of another model; files are rounded
_OTHER_HEADS = "The model of today has other layers or heads than the one that this was saved with."
_OTHER_WINDOW = "The model of today does not find both short sequences in this window."
_PATIENCE = 20.0  # seconds to wait until the model can be asked
ASK_A_CELL = "Click a cell of the map above."  # short enough for a phone


def looked_at(
    ui: SimpleNamespace, outcome: Outcome | None, exploration: Exploration | None, choice: Choice
) -> dict:
    """Updates of everything that shows the window of the chosen moment."""
    if outcome is None or outcome.result is None:
        return {ui.sequences: figures.message("Recognise a video first.")}
    recording, log = outcome.result.recording, outcome.result.log
    key, attention = _window(outcome, exploration, choice.moment)
    choice = choice.within(attention)
    told = attention and attention_view.told(log, attention)
    weights = attention and attention.select(choice.layer, choice.head)
    known = exploration.characters if exploration else attention_view.characters(log)
    shown = (ui.heads, ui.sequences, ui.between)
    return {
        **dict(zip(shown, maps(attention, choice, known, told), strict=True)),
        ui.window: scene_data.window(recording, log, key, attention, weights),
        **inside(ui, outcome, exploration, choice, attention),
    }


def maps(
    attention: Attention | None,
    choice: Choice,
    known: attention_view.Known,
    told: Sequence[str] | None = None,
) -> tuple[str, Figure, Figure]:
    """The heads side by side, and the maps between short sequences and between people.

    Args:
        choice: of a layer and a head that the attention has.
        known: what each head does. told: per sequence what to say about it under the mouse.
    """
    layer, head = choice.layer, choice.head
    return (
        attention_view.heads(attention, choice, known),
        figures.sequence_heatmap(attention, layer, head, told),
        figures.people_heatmap(attention, layer, head),
    )


def inside(
    ui: SimpleNamespace,
    outcome: Outcome,
    exploration: Exploration | None,
    choice: Choice,
    attention: Attention | None = None,
) -> dict:
    """Updates of what is inside the chosen pair; it is forgotten where the window has it not."""
    if attention is None:
        _, attention = _window(outcome, exploration, choice.moment)
    choice = choice.within(attention)
    places = [attention_view.place(attention, spot) for spot in choice.pair or () if attention]
    if len(places) != 2 or None in places:
        return {ui.tokens: figures.message(ASK_A_CELL), ui.pair: None}
    return {ui.tokens: _tokens(exploration, choice, attention, places), ui.pair: choice.pair}


def _tokens(
    exploration: Exploration | None, choice: Choice, shown: Attention, cell: Sequence[int]
) -> Figure:
    """Args: shown: the map that was clicked, perhaps of another model; cell: in it, by number."""
    if exploration is None or exploration.explorer(_PATIENCE) is None:
        problem = exploration and exploration.problem
        return figures.message(problem or "The model is busy. Click the cell again in a moment.")
    try:
        window = exploration.attention(choice.moment)
    except NotReady as error:
        return figures.message(str(error))
    if window and window.tokens.shape[:2] != shown.weights.shape[:2]:
        return figures.message(_OTHER_HEADS)
    share = float(shown.select(choice.layer, choice.head)[cell[0], cell[1]])
    return tokens(window, choice, share)


def tokens(window: WindowAttention | None, choice: Choice, share: float | None = None) -> Figure:
    """The map inside the chosen pair, or why there is none.

    Args:
        share: of the cell that was clicked; where the map's own is another, that is told.
    """
    if window is None:
        return figures.message("This model does not attend to single moments or body parts.")
    pair = attention_view.pair_tokens(window, choice)
    if pair is None:
        return figures.message(_OTHER_WINDOW)
    figure = _drawn(window, choice, pair)
    if share is not None and abs(pair.share - share) > _OTHER:
        told = (
            f"Of the model of today, in which the<br>cell is {pair.share:.1%} and not {share:.1%}."
        )
        figure.update_xaxes(title_text=f"{figure.layout.xaxis.title.text}<br>{told}")
    return figure


def _drawn(window: WindowAttention, choice: Choice, pair: PairAttention) -> Figure:
    names = window.sequences.names
    places = (attention_view.place(window.sequences, spot) for spot in choice.pair)
    return figures.token_heatmap(pair, *(names[i] for i in places))


def _window(
    outcome: Outcome, exploration: Exploration | None, moment: float
) -> tuple[float, Attention | None]:
    """The window of a moment; where the result keeps none, the model is asked once more."""
    found = attention_view.nearest(outcome.result.log, moment)
    if found is not None:
        return found
    again = None
    with suppress(NotReady):
        again = exploration and exploration.attention(moment)
    return (again.key, again.sequences) if again else (moment, None)


def moments(log: ActionLog) -> list[float]:
    """The key frames that can be looked at, in seconds; never empty. Those whose window is not
    kept, which are the first of a long video, the model is asked about again."""
    return log.scene.times.tolist() or [t for t, _ in log.attention] or [0.0]


def shown_first(log: ActionLog) -> float:
    """The moment that a new result begins with: the middle one of those that are kept."""
    times = [t for t, _ in log.attention] or moments(log)
    return times[len(times) // 2]


def numbered(count: int) -> list[str]:
    """The choices of layers or heads."""
    return [MEAN, *(str(i + 1) for i in range(count))]


def number_of(chosen: str) -> int | None:
    """The number from 0 of what `numbered` offers; None for the mean."""
    return None if chosen == MEAN else int(chosen) - 1
