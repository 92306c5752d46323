"""Which environment variables set the app up, and how they are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_PREFIX = "SKELETR_"


@dataclass(frozen=True)
class Variable:
    """One variable: what follows `SKELETR_`, the setting it fills, and how its text is read.

    kind: for the message when the text cannot be read. video: a field of `VideoLimits`.
    """

    suffix: str
    field: str
    read: Callable[[str], object]
    kind: str
    video: bool = False

    @property
    def name(self) -> str:
        """The whole name of the variable."""
        return _PREFIX + self.suffix


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("not finite")
    return value


def _switch(text: str) -> bool:
    return {"1": True, "on": True, "true": True, "0": False, "off": False, "false": False}[
        text.lower()
    ]


def _whole(suffix: str, field: str, video: bool = False) -> Variable:
    return Variable(suffix, field, int, "a whole number above 0", video)


def _seconds(suffix: str, field: str, video: bool = False) -> Variable:
    return Variable(suffix, field, _number, "a number above 0", video)


VARIABLES = (
    _whole("MAX_UPLOAD_MB", "max_upload_mb"),
    _seconds("MAX_SECONDS", "max_seconds", video=True),
    _whole("MAX_PIXELS", "max_pixels", video=True),
    _whole("MAX_FRAMES", "max_frames", video=True),
    _whole("PROCESSING_SIDE", "processing_side", video=True),
    _whole("DECODER_MB", "decoder_mb", video=True),
    _seconds("DECODER_SECONDS", "decoder_seconds", video=True),
    _whole("MAX_PICTURE_MB", "max_picture_mb"),
    _whole("MIN_FREE_MB", "min_free_mb"),
    _whole("MAX_PEOPLE", "max_people"),
    _whole("MAX_LIVE", "max_live"),
    _whole("MAX_WAITING", "max_waiting"),
    _seconds("LIVE_TURN_SECONDS", "live_turn_seconds"),
    _seconds("LIVE_IDLE_SECONDS", "live_idle_seconds"),
    _seconds("LIVE_MINUTES", "live_minutes"),
    _whole("MAX_SESSIONS", "max_sessions"),
    _whole("JOBS", "jobs"),
    _seconds("IDLE_SECONDS", "idle_seconds"),
    _seconds("KEEP_MINUTES", "keep_minutes"),
    Variable("ADDRESS_SHARE", "address_share", _number, "a number above 0, 1 at most"),
    Variable("METRICS", "metrics", _switch, "on or off"),
    Variable("LOG", "log", str, "text or json"),
)


def read_environment(environment: Mapping[str, str]) -> dict[str, object]:
    """Settings by field for the variables that are set; an empty one counts as not set.

    Raises ValueError naming the variable, what was found and what was expected.
    """
    found = {}
    for variable in VARIABLES:
        text = environment.get(variable.name, "").strip()
        if text:
            found[variable.field] = _read(variable, text)
    return found


def _read(variable: Variable, text: str) -> object:
    try:
        value = variable.read(text)
    except (ValueError, KeyError):
        value = None
    above = not isinstance(value, (int, float)) or isinstance(value, bool) or value > 0
    if value is None or not above:
        raise ValueError(f"{variable.name} is {text!r}, expected {variable.kind}")
    return value
