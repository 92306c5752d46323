"""A YAML file, then KEY=VALUE -> `TrainConfig`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from reprlib import repr as short
from typing import Any, get_args, get_origin, get_type_hints

import yaml

from skeletr.checkpoint import Checkpoint, CheckpointError
from skeletr.model import large, small
from skeletr.training.config import ConfigError, TrainConfig

_MOST_VALUES = 10_000


def load_config(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> TrainConfig:
    """Read a YAML file and apply `KEY=VALUE`, with dots for parts: `scenes.pair=0.3`,
    `tasks.0.fold=3`. What `init` fixes (the network, sequences) need not be given, nor what is in
    the file that it names as `base`.

    Raises:
        ConfigError: not readable, unknown key, a value that cannot be, or one that does not fit
            the checkpoint to start from.
    """
    values = _read(Path(path))
    for override in overrides:
        _override(values, override)
    if values.get("init"):
        _inherit(values)
    return _build(TrainConfig, values, "")


def _read(path: Path) -> dict[str, Any]:
    """The keys of a file, over those of its `base`, a file that is named as seen from there."""
    values = _plain(path)
    base = values.pop("base", None)
    if base is None:
        return values
    found = _plain(path.parent / str(base))
    for key, value in values.items():
        inside = found.get(key)
        both = isinstance(value, dict) and isinstance(inside, dict)
        found[key] = {**inside, **value} if both else value
    return found


def _plain(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not a readable YAML file: {error}") from error
    values = _parsed(text, f"{path} is not a readable YAML file") or {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds a {type(values).__name__}, expected keys and values")
    return values


def _parsed(text: str, wrong: str) -> Any:
    """The value of a YAML text; nothing in it is executed."""
    try:
        value = yaml.safe_load(text)
    # Beyond its own errors, tags that do not fit their text raise whatever reading that text does.
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ConfigError(f"{wrong}: {error}") from error
    except RecursionError:
        raise ConfigError(f"{wrong}: it is nested too deeply") from None
    if not _is_small(value):
        raise ConfigError(f"{wrong}: it holds more than {_MOST_VALUES} values, aliases counted")
    return value


def _is_small(value: Any) -> bool:
    """Aliases of aliases of aliases are short to write, and endless to go through."""
    left, seen = [value], 0
    while left and seen < _MOST_VALUES:
        item = left.pop()
        seen += 1
        if isinstance(item, dict):
            left += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set):
            left += item
    return not left


def _inherit(values: dict[str, Any]) -> None:
    """Fill in the kind of network and sequences from the checkpoint to start from."""
    try:
        checkpoint = Checkpoint.from_pretrained(str(values["init"]))
    except CheckpointError as error:
        raise ConfigError(f"init: {error}") from error
    model = checkpoint.model.config
    kind = model.backbone.kind
    sizes = [
        name
        for name, make in (("S", small), ("L", large))
        if replace(make().backbone, kind=kind) == model.backbone
    ]
    if not sizes:
        raise ConfigError(f"init: {values['init']} is neither SkeleTR-S nor SkeleTR-L")
    network = {"size": sizes[0], "backbone": kind}
    values.setdefault("stream", model.stream)  # another one is trained from there just the same
    if values.get("init_part") != "backbone":
        network["interaction"] = model.interaction
        values.setdefault("aggregation", list(model.aggregation))  # compared as weights are loaded
    for key, found in network.items():
        given = values.setdefault(key, found)
        if given != found and (key, found, given) != ("size", "S", "L"):  # which grows, see `grow`
            raise ConfigError(f"{key} is {values[key]!r}, but init is of {key} {found!r}")
    given = values.get("sequences") or {}
    if isinstance(given, dict):
        values["sequences"] = {**asdict(checkpoint.sequences), **given}


def _override(values: Any, override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals:
        raise ConfigError(f"{override!r}: expected KEY=VALUE")
    *parents, name = key.split(".")
    value = _parsed(text, f"{key}: what is given is not a YAML value")
    for parent in parents:
        values = _inner(values, parent, override)
    if isinstance(values, list):
        values[_position(values, name, override)] = value
    else:
        values[name] = value


def _inner(values: Any, parent: str, override: str) -> Any:
    if isinstance(values, list):
        found = values[_position(values, parent, override)]
    else:
        found = values.setdefault(parent, {})
    if not isinstance(found, dict | list):
        raise ConfigError(f"{override!r}: {parent} holds no keys of its own")
    return found


def _position(values: list[Any], text: str, override: str) -> int:
    if not text.isdecimal() or int(text) >= len(values):
        raise ConfigError(f"{override!r}: expected a number from 0 to {len(values) - 1}: {text}")
    return int(text)


def _build(kind: type, values: Mapping[str, Any], prefix: str) -> Any:
    """A dataclass from a dict; unknown keys are refused, numbers like 2e-3 are read as such."""
    hints = get_type_hints(kind)
    known = [f.name for f in fields(kind)]
    unknown = [prefix + str(k) for k in values if k not in known]
    if unknown:
        raise ConfigError(f"unknown {unknown}; expected some of {[prefix + k for k in known]}")
    built = {k: _part(hints[k], v, prefix + k) for k, v in values.items()}
    try:
        return kind(**built)
    except ConfigError:
        raise
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{prefix.rstrip('.') or 'configuration'}: {error}") from error


def _part(kind: Any, value: Any, key: str) -> Any:
    """A value: a part with keys of its own, a list of such, or plain."""
    if is_dataclass(kind) and isinstance(value, dict):
        return _build(kind, value, f"{key}.")
    item = get_args(kind)[0] if get_origin(kind) is tuple else None
    if item is not None and is_dataclass(item):
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            raise ConfigError(f"{key} is {short(value)}, expected a list of parts with keys")
        return tuple(_build(item, v, f"{key}.{i}.") for i, v in enumerate(value))
    return _value(key, value, kind)


def _value(key: str, value: Any, kind: Any) -> Any:
    """Check plain types; YAML reads 2e-3 as text, which is meant as a number."""
    if kind is float and isinstance(value, str | int) and not isinstance(value, bool):
        try:
            return float(value)
        except ValueError as error:
            raise ConfigError(f"{key} is {short(value)}, expected a number") from error
    if kind in (int, float, bool, str) and type(value) is not kind:
        raise ConfigError(f"{key} is {short(value)}, expected {kind.__name__}")
    return value
