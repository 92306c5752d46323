"""The settings that a user may change, and what they mean."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import gradio as gr

from app.settings import AppSettings, UserOptions
from skeletr.overlay import PICTURES, Picture
from skeletr.pose import FRONTENDS
from skeletr.tracking import SMOOTHINGS, Smoothing


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
    """Lay out the settings inside the current block; `most` people may be followed at once."""
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
    return OptionControls(pose, max_people, own, threshold, picture, smoothing)


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
