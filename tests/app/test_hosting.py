"""The container file and the Space, as far as they can be checked without building them."""

from __future__ import annotations

import ast
import json
import re
import shlex
from importlib.metadata import version
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LINES = re.sub(r"\\\n", " ", DOCKERFILE).splitlines()


def instructions(name: str) -> list[str]:
    """What follows an instruction, in order."""
    return [line.split(None, 1)[1] for line in LINES if line.startswith(f"{name} ")]


def test_what_is_copied_exists_and_reaches_the_builder() -> None:
    admitted = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = [source for line in instructions("COPY") for source in shlex.split(line)[:-1]]
    assert {"launch.py", "app", "skeletr", "checkpoints"} <= set(copied)
    for source in copied:
        assert (ROOT / source).exists()
        assert source in admitted


def test_everything_that_the_app_reads_is_in_the_image() -> None:
    copied = {source for line in instructions("COPY") for source in shlex.split(line)[:-1]}
    for folder in ("app", "skeletr"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.level == 0:
                    top = node.module.split(".")[0]
                    assert top in copied or not (ROOT / top).is_dir(), (path, top)


def test_it_serves_without_privileges_on_its_port() -> None:
    user = LINES.index("USER serve")
    assert not any(line.startswith(("COPY", "USER")) for line in LINES[user + 1 :])
    assert instructions("EXPOSE") == ["7860"]
    assert "GRADIO_SERVER_PORT=7860" in DOCKERFILE and "GRADIO_SERVER_NAME=0.0.0.0" in DOCKERFILE
    assert json.loads(instructions("CMD")[0]) == ["python", "launch.py"]
    check = instructions("HEALTHCHECK")[0]
    command = json.loads(check[check.index("CMD") + 3 :])
    assert "/health" in command[2] and ast.parse(command[2])


def test_torch_is_pinned_where_the_container_file_looks_for_it() -> None:
    requirements = (ROOT / "requirements.txt").read_text().splitlines()
    assert len([line for line in requirements if line.startswith("torch==")]) == 1


def test_the_front_matter_of_a_space() -> None:
    front = yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---")[1])
    assert (front["sdk"], front["app_file"]) == ("gradio", "launch.py")
    assert front["python_version"] == "3.11"
    # The app reaches into parts of Gradio that change: one version, and the one it is tested with.
    wanted = (ROOT / "requirements.txt").read_text().splitlines()
    assert f"gradio=={front['sdk_version']}" in wanted
    assert version("gradio") == front["sdk_version"]
    assert (ROOT / front["app_file"]).is_file() and (ROOT / "packages.txt").is_file()
