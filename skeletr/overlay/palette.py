"""One colour per person, told apart by colour-blind people too, the same in pictures and plots."""

from __future__ import annotations

from skeletr.recording import UNTRACKED

Color = tuple[int, int, int]

# Found by search: of ten colours seen at least twice as bright or dark as white and as the page's
# dark ground, those that stay furthest apart (CIEDE2000 of 16 and more) also where red or green is
# not seen. Ordered so that the first ones, which are used most, and neighbours differ most.
PALETTE: tuple[Color, ...] = (
    (75, 194, 252),
    (255, 127, 0),
    (161, 30, 119),
    (5, 104, 39),
    (75, 127, 250),
    (54, 203, 188),
    (226, 11, 80),
    (87, 8, 255),
    (0, 146, 117),
    (115, 199, 132),
)
_GREY: Color = (150, 150, 150)
DARK: Color = (22, 24, 28)
LIGHT: Color = (250, 250, 250)


def person_color(id: int) -> Color:
    """RGB in 0..255 of a person; ids start at 1 and repeat after ten. Grey if untracked."""
    return _GREY if id == UNTRACKED else PALETTE[(id - 1) % len(PALETTE)]


def person_hex(id: int) -> str:
    """`person_color` as #rrggbb, for plots and pages."""
    return "#{:02x}{:02x}{:02x}".format(*person_color(id))


def text_color(background: Color) -> Color:
    """Dark or light, whichever is read more easily on `background`."""
    return max(DARK, LIGHT, key=lambda ink: contrast(ink, background))


def contrast(a: Color, b: Color) -> float:
    """Of two colours as WCAG defines it, 1 to 21; text needs 4.5."""
    darker, lighter = sorted(_luminance(color) for color in (a, b))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: Color) -> float:
    """Relative luminance, 0 = black to 1 = white."""
    shares = (value / 255 for value in color)
    linear = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return sum(weight * s for weight, s in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
