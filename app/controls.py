"""The settings that a user may change, and what they mean."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields

import gradio as gr

from app.page import QUIET
from app.settings import AppSettings, UserOptions
from skeletr.overlay import PICTURES, Picture
from skeletr.pose import FRONTENDS
from skeletr.tracking import SMOOTHINGS, Smoothing

_SAME = "(value) => %s"
# For style.css: the browser's own picture of the camera is hidden as well.
_TOLD = "(value) => { document.body.dataset.picture = value; return %s; }"


@dataclass(frozen=True)
class OptionControls:
    """Components of one settings panel, in the order that `read` takes their values."""

    pose: gr.Dropdown
    max_people: gr.Slider
    own_threshold: gr.Checkbox
    threshold: gr.Slider
    picture: gr.Dropdown
    smoothing: gr.Dropdown

    @property
    def inputs(self) -> list[gr.components.Component]:
        """For the inputs of an event."""
        return [
            self.pose,
            self.max_people,
            self.own_threshold,
            self.threshold,
            self.picture,
            self.smoothing,
        ]


def option_controls(settings: AppSettings) -> OptionControls:
    """Lay out the settings inside the current block; see `shared` for those of several blocks."""
    with gr.Row():
        pose = gr.Dropdown(
            list(FRONTENDS), value=FRONTENDS[0], label="Pose model", min_width=140, filterable=False
        )
        max_people = gr.Slider(
            1,
            max(
                settings.max_people, 2
            ),  # a slider needs two ends; with nothing to choose it is not shown
            value=settings.usual_people,
            step=1,
            label="People at most",
            min_width=140,
            visible=settings.max_people > 1,
        )
    picture = _named(
        PICTURES, "Picture", "What is shown of people; who is not found is not blurred"
    )
    smoothing = _named(
        SMOOTHINGS,
        "Smoothing",
        "Stronger is calmer, and follows fast movements a little later",
        UserOptions.smoothing,
    )
    own = gr.Checkbox(False, label="Choose when the answer is “unknown”")
    threshold = gr.Slider(
        0, 1, value=0.3, step=0.05, label="Unknown below this probability", visible=False
    )
    own.change(
        lambda chosen: gr.update(visible=chosen),
        own,
        threshold,
        show_progress="hidden",
        queue=False,
        api_visibility="private",
    )
    found = OptionControls(pose, max_people, own, threshold, picture, smoothing)
    for name in _NAMES:
        getattr(found, name).elem_classes = [_mark(name)]
    return found


def shared(page: gr.Blocks) -> None:
    """Settings are those of the whole page: what is chosen in one tab holds in the others at once.

    So nobody is shown in one tab who has asked to be hidden in another.
    """
    for name in _NAMES:
        same = [b for b in page.blocks.values() if _mark(name) in (b.elem_classes or ())]
        for control in same:
            others = [other for other in same if other is not control]
            if others:
                script = _TOLD if name == "picture" else _SAME
                script = script % (
                    "value" if len(others) == 1 else f"Array({len(others)}).fill(value)"
                )
                control.input(None, control, others, js=script, **(QUIET | {"queue": False}))


_NAMES = tuple(field.name for field in fields(OptionControls))


def _mark(name: str) -> str:
    """Of the controls of one setting, in every tab."""
    return f"sk-option-{name}"


def _named(names: Collection[str], label: str, info: str, value: str | None = None) -> gr.Dropdown:
    """One of a few names, the first if no value is given."""
    return gr.Dropdown(
        [(name.capitalize(), name) for name in names],
        value=value or next(iter(names)),
        label=label,
        info=info,
        filterable=False,
    )


def read(
    most: int,
    pose: str,
    max_people: float,
    own: bool,
    threshold: float,
    picture: Picture,
    smoothing: Smoothing = UserOptions.smoothing,
) -> UserOptions:
    """The values of `OptionControls.inputs` as options, for `most` people or fewer.

    Raises ValueError for values that the page does not offer.
    """
    try:
        people, least = int(max_people), float(threshold) if own else None
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"people at most is {max_people!r} and the threshold {threshold!r}, expected numbers"
        ) from error
    if people > most:
        raise ValueError(
            f"people at most is {people}, but the limit is {most}; choose {most} or fewer"
        )
    return UserOptions(pose, people, least, picture, smoothing)
