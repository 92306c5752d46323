"""Draws people, their labels and the scene on a frame."""

from skeletr.overlay.draw import OverlayStyle, draw_actions
from skeletr.overlay.palette import person_color, person_hex

__all__ = ["OverlayStyle", "draw_actions", "person_color", "person_hex"]
