"""One colour per person, told apart by colour-blind people too, the same in pictures and plots."""

from __future__ import annotations

from skeletr.recording import UNTRACKED

Color = tuple[int, int, int]

# Okabe and Ito's palette without black, ordered so that neighbours differ most.
_PALETTE: tuple[Color, ...] = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
)
_GREY: Color = (150, 150, 150)
DARK: Color = (22, 24, 28)
LIGHT: Color = (250, 250, 250)


def person_color(id: int) -> Color:
    """RGB in 0..255 of a person; ids start at 1 and repeat after seven. Grey if untracked."""
    return _GREY if id == UNTRACKED else _PALETTE[(id - 1) % len(_PALETTE)]


def person_hex(id: int) -> str:
    """`person_color` as #rrggbb, for plots and pages."""
    return "#{:02x}{:02x}{:02x}".format(*person_color(id))


def text_color(background: Color) -> Color:
    """Dark or light, whichever is read more easily on `background`."""
    red, green, blue = background
    return DARK if 0.299 * red + 0.587 * green + 0.114 * blue > 118 else LIGHT
