"""The list of broken and odd inputs: each kind has a name, a maker and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# What must come of a file: frames, one sentence, or either (what can be saved of it is).
FRAMES, REFUSED, EITHER = "frames", "refused", "either"


class Unavailable(Exception):
    """This machine cannot make the file; the message says why."""


@dataclass(frozen=True)
class Kind:
    """One kind of input. make: writes it into a folder and returns its path."""

    name: str
    expected: str
    make: Callable[[Path], Path]
    said: str = ""


KINDS: dict[str, Kind] = {}


def kind(name: str, expected: str, said: str = "") -> Callable:
    """Add the decorated maker to `KINDS`; `said` must be in the sentence that refuses it."""

    def add(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
        if name in KINDS:
            raise ValueError(f"there are two kinds named {name}")
        KINDS[name] = Kind(name, expected, make, said)
        return make

    return add
