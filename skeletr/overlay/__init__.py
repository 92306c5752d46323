"""Draws people, their labels and the scene on a frame."""

from skeletr.overlay.draw import PICTURES, OverlayStyle, Picture, draw_actions
from skeletr.overlay.pair import draw_pair
from skeletr.overlay.palette import person_color, person_hex
from skeletr.overlay.privacy import Veil, left_bare

__all__ = [
    "PICTURES",
    "OverlayStyle",
    "Picture",
    "Veil",
    "draw_actions",
    "draw_pair",
    "left_bare",
    "person_color",
    "person_hex",
]
