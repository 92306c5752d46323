"""Configurations that are wrong in every way: one error that says where; nothing is executed."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from skeletr.training import ConfigError, TrainConfig, load_config
from tests.broken.test_videos import flipped

FLIPS = int(os.environ.get("SKELETR_FLIPS", "200"))
_LONGEST = 3000  # characters; a list of all keys is long
WHOLE = (Path(__file__).parents[2] / "configs" / "own.yaml").read_text(encoding="utf-8")
PLAIN = "\n".join(line for line in WHOLE.splitlines() if not line.startswith("init"))
MINIMAL = "output: a\nrun: b\n"

BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "no text": bytes(range(256)),
    "another coding": MINIMAL.encode("utf-16"),
    "Latin-1": "output: ä\n".encode("latin-1"),
    "a zero byte": b"output: a\0b\n",
    "tabs": b"output:\n\t- a\n",
    "a list": b"- a\n- b\n",
    "a word": b"hello",
    "a number": b"17",
    "a bracket": b"{",
    "nested deeply": b"[" * 20_000,
    "nested deeply and closed": b"output: " + b"[" * 3000 + b"]" * 3000,
    "two documents": b"output: a\n---\nrun: b\n",
    "a key twice, as list": b"? [output]\n: a\n",
    "a key that is no text": b"1: a\noutput: b\nrun: c\n",
    "a date that is none": MINIMAL.encode() + b"rate: 2001-99-99\n",
    "a date by tag": MINIMAL.encode() + b"rate: !!timestamp x\n",
    "a number by tag": MINIMAL.encode() + b"steps: !!int x\n",
    "a switch by tag": MINIMAL.encode() + b"bf16: !!bool x\n",
    "bytes by tag": MINIMAL.encode() + b"data: !!binary '*'\n",
    "a number without end": MINIMAL.encode() + b"steps: " + b"9" * 10_000 + b"\n",
    "an unknown tag": b"output: !mine x\nrun: b\n",
    "an alias of nothing": b"output: *a\n",
    "an unknown key": MINIMAL.encode() + b"stepz: 3\n",
    "an unknown key inside": MINIMAL.encode() + b"sequences: {framez: 3}\n",
    "a base that is not there": b"base: none.yaml\noutput: a\nrun: b\n",
    "a base that is a folder": b"base: .\noutput: a\nrun: b\n",
    "a base that is a list": b"base: [a]\noutput: a\nrun: b\n",
    "a checkpoint that is not there": MINIMAL.encode() + b"init: no/such\n",
    "tasks that are words": MINIMAL.encode() + b"tasks: [a, b]\n",
    "tasks that are one": MINIMAL.encode() + b"tasks: {name: a}\n",
    "a task without data": MINIMAL.encode() + b"tasks: [{name: a, source: store}]\n",
    "a task that leads out": MINIMAL.encode() + b"tasks: [{name: ../../a}]\n",
}


def check_message(error: pytest.ExceptionInfo | Exception) -> None:
    told = str(error.value if isinstance(error, pytest.ExceptionInfo) else error)
    assert told and len(told) < _LONGEST and "Traceback" not in told


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_said(name: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(BROKEN[name])
    with pytest.raises(ConfigError) as error:
        load_config(path)
    check_message(error)


@pytest.mark.parametrize("value", ["{", "[" * 3000, "!!timestamp x", "!!python/name:os.system"])
def test_an_override_that_is_no_yaml_is_said(value: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(MINIMAL)
    with pytest.raises(ConfigError) as error:
        load_config(path, [f"rate={value}"])
    check_message(error)


def test_there_is_no_such_file(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(ConfigError, match="readable"):
            load_config(path)


@pytest.mark.parametrize(
    "tag", ["python/object/apply:os.mkdir", "python/object/new:os.mkdir", "python/name:os.mkdir"]
)
def test_nothing_is_executed(tag: str, tmp_path: Path) -> None:
    path, trap = tmp_path / "c.yaml", tmp_path / "sprung"
    path.write_text(f"output: !!{tag} ['{trap}']\nrun: b\n")
    with pytest.raises(ConfigError):
        load_config(path)
    assert not trap.exists()


@pytest.mark.parametrize("key", ["output", "tasks", "rate", "datasets", "sequences", "window"])
def test_aliases_of_aliases_are_not_written_out(key: str, tmp_path: Path) -> None:
    parts = ["&a0 [x, x, x, x, x, x, x, x, x, x]"]
    parts += [f"&a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    path = tmp_path / "c.yaml"
    path.write_text(f"run: b\n{key}: [{', '.join(parts)}]\n")  # 10 GB if it were written out
    with pytest.raises(ConfigError) as error:
        load_config(path)
    check_message(error)


ODD = (None, [], {}, "", "x", -1, 0, 10**30, 1e400, float("nan"), True, [None], {"a": 1}, [[[]]])


@pytest.mark.parametrize("key", [f.name for f in fields(TrainConfig)])
def test_any_value_of_any_key_is_taken_or_refused(key: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    for value in ODD:
        path.write_text(yaml.safe_dump({**yaml.safe_load(PLAIN), key: value}))
        try:
            load_config(path)
        except ConfigError as error:
            check_message(error)


def test_damaged_files_are_taken_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    for seed in range(FLIPS):
        path.write_bytes(flipped(PLAIN.encode(), seed))
        try:
            load_config(path)
        except ConfigError as error:
            check_message(error)
