"""Damage by seed to archives of arrays with a header, of which more than the checksum is wrong."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.broken.test_videos import flipped

_HEADER = "header.npy"
# What a header may hold in place of what belongs there.
_ODD = (None, True, -1, 0, 10**30, 1e308, float("nan"), "", "x" * 5000, "\n\0<b>", [], {}, [[]])


def damaged(whole: bytes, seed: int) -> bytes:
    """A third of the seeds changes the file, a third one array in it, a third its header."""
    rng = np.random.default_rng(seed)
    if seed % 3 == 0:
        return flipped(whole, seed)
    if seed % 3 == 2:
        return with_header(whole, lambda header: _put_odd_value(header, rng))
    members = _members(whole)
    name = str(rng.choice(sorted(members)))
    return _archive(members | {name: flipped(members[name], seed)})


def with_header(whole: bytes, change: Callable[[dict], None]) -> bytes:
    """The same archive with a header that `change` was applied to."""
    members = _members(whole)
    header = json.loads(np.load(io.BytesIO(members[_HEADER])).tobytes())
    change(header)
    made = io.BytesIO()
    np.save(made, np.frombuffer(json.dumps(header).encode(), np.uint8))
    return _archive(members | {_HEADER: made.getvalue()})


def is_one_sentence(said: str, name: str, folder: Path) -> bool:
    """Whether a visitor may be told so of a file."""
    plain = said.startswith(name) and len(said) < 1000 and "\n" not in said
    return plain and str(folder) not in said and "Traceback" not in said


def _members(whole: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _archive(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return made.getvalue()


def _put_odd_value(header: dict, rng: np.random.Generator) -> None:
    places = list(_places(header))
    holder, key = places[rng.integers(len(places))]
    holder[key] = _ODD[rng.integers(len(_ODD))]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every holder and key at which there is a value, at whatever depth."""
    keys = value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)
    for key in keys:
        yield value, key
        yield from _places(value[key])
