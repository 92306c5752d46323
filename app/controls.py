"""The settings that a user may change, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from app.settings import UserOptions
from skeletr.overlay import PICTURES, Picture
from skeletr.pose import FRONTENDS


@dataclass(frozen=True)
class OptionControls:
    """Components of one settings panel, in the order that `read` takes their values."""

    pose: gr.Dropdown
    max_people: gr.Slider
    own_threshold: gr.Checkbox
    threshold: gr.Slider
    picture: gr.Dropdown

    @property
    def inputs(self) -> list[gr.components.Component]:
        """For the inputs of an event."""
        return [self.pose, self.max_people, self.own_threshold, self.threshold, self.picture]


def option_controls(most: int) -> OptionControls:
    """Lay out the settings inside the current block; `most` people may be followed at once."""
    with gr.Row():
        pose = gr.Dropdown(
            list(FRONTENDS), value=FRONTENDS[0], label="Pose model", min_width=140, filterable=False
        )
        usual = min(UserOptions.max_people, most)
        max_people = gr.Slider(
            1, max(most, 2), value=usual, step=1, label="People at most", min_width=140
        )
    picture = gr.Dropdown(
        [(p.capitalize(), p) for p in PICTURES],
        value=PICTURES[0],
        label="Picture",
        info="What is shown of people; who is not found is not blurred",
        filterable=False,
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
    return OptionControls(pose, max_people, own, threshold, picture)


def read(
    most: int, pose: str, max_people: float, own: bool, threshold: float, picture: Picture
) -> UserOptions:
    """The values of `OptionControls.inputs` as options, for `most` people or fewer.

    Raises ValueError for values that the page does not offer.
    """
    people = min(int(max_people), most)
    return UserOptions(pose, people, float(threshold) if own else None, picture)
