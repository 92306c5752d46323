"""Where MediaPipe's pose model comes from.

In this order: the file the user names (argument or `SKELETR_POSE_MODEL`), the cache, the wheel of
an older MediaPipe from the user's package index, Google's download. Nothing is ever committed.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

from skeletr.files import atomic_path
from skeletr.pose.base import PoseError
from skeletr.pose.bundle import is_bundle, write_bundle

VARIANTS = ("lite", "full", "heavy")

WHEEL = "mediapipe==0.10.21"
# The files wanted are the same in every wheel of that version; this one exists.
WHEEL_TAGS = ("--platform=manylinux_2_28_x86_64", "--python-version=3.11", "--only-binary=:all:")
WHEEL_FILES: dict[str, str] = {
    "mediapipe/modules/pose_detection/pose_detection.tflite": (
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c"
    ),
    "mediapipe/modules/pose_landmark/pose_landmark_full.tflite": (
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f"
    ),
}

URL = (
    "https://storage.googleapis.com/mediapipe-models/pose_landmarker/"
    "pose_landmarker_{variant}/float16/1/pose_landmarker_{variant}.task"
)
# `full` is in circulation in two builds of the same model.
URL_SHA256: dict[str, tuple[str, ...]] = {
    "lite": ("59929e1d1ee95287735ddd833b19cf4ac46d29bc7afddbbf6753c459690d574a",),
    "full": (
        "4eaa5eb7a98365221087693fcc286334cf0858e2eb6e15b506aa4a7ecdcec4ad",
        "5134a3aad27a58b93da0088d431f366da362b44e3ccfbe3462b3827a839011b1",
    ),
    "heavy": ("64437af838a65d18e5ba7a0d39b465540069bc8aae8308de3e318aad31fcbc7b",),
}
MAX_BYTES = 64 * 2**20
PIP_TIMEOUT = 600  # seconds; the wheel has 36 MB
URL_TIMEOUT = 30  # seconds without a byte


def pose_model(variant: str = "full", path: str | os.PathLike[str] | None = None) -> Path:
    """The model bundle on this machine; fetched into the cache on first use.

    Args:
        variant: "lite", "full" or "heavy".
        path: a `.task` file to use instead; `SKELETR_POSE_MODEL` says the same.

    Raises:
        PoseError: the file named is no bundle, or no source can be reached.
    """
    if variant not in VARIANTS:
        raise PoseError(f"pose model variant is {variant!r}, expected one of {VARIANTS}")
    named = path or os.environ.get("SKELETR_POSE_MODEL")
    if named:
        return _checked(Path(named))
    name = f"pose_landmarker_{variant}.task"
    for folder in (cache_folder, _spare_folder):  # the second makes a folder when it is asked
        if is_bundle(folder() / name):
            return folder() / name
    return _fetch(variant, name)


def cache_folder() -> Path:
    """Where fetched models are kept: `SKELETR_CACHE`, or `skeletr` in the user's cache folder."""
    if own := os.environ.get("SKELETR_CACHE"):
        return Path(own)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = str(Path.home() / ".cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or base) / "skeletr"


def _checked(path: Path) -> Path:
    if not is_bundle(path):
        raise PoseError(
            f"{path} is no readable MediaPipe pose bundle; expected a .task file such as "
            "pose_landmarker_full.task (leave the path out to have it fetched)"
        )
    return path


def _fetch(variant: str, name: str) -> Path:
    sources: list[tuple[str, Callable[[Path], None]]] = []
    if variant == "full":
        sources.append((f"pip download {WHEEL}", _from_wheel))
    url = URL.format(variant=variant)
    sources.append((url, functools.partial(_from_url, url=url, sha256=URL_SHA256[variant])))
    failures = []
    for title, source in sources:
        try:
            return _keep(source, name)
        except (PoseError, OSError, subprocess.SubprocessError, zipfile.BadZipFile) as error:
            failures.append(f"  {title}: {error}")
    raise PoseError(
        f"the pose model {name} could not be fetched:\n"
        + "\n".join(failures)
        + f"\nDownload {url} on a machine that reaches it, and set SKELETR_POSE_MODEL to the file."
    )


def _keep(source: Callable[[Path], None], name: str) -> Path:
    """Let `source` write the bundle into the cache, or beside it if that is read-only.

    Processes that do this at once each write their own file; the last to finish takes its place.
    """
    folder = cache_folder()
    if not _writable(folder):
        folder = _spare_folder()
    with atomic_path(folder / name) as partial:
        source(partial)
        _checked(partial)
    return folder / name


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@functools.cache
def _spare_folder() -> Path:
    """A folder of this process alone, for machines whose cache cannot be written."""
    folder = Path(tempfile.mkdtemp(prefix="skeletr-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _from_wheel(bundle: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="skeletr-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder]
        command += ["--disable-pip-version-check", "--no-input", *WHEEL_TAGS, WHEEL]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_TIMEOUT)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            reason = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
            raise PoseError(reason[-1])
        with zipfile.ZipFile(wheels[0]) as archive:
            parts = [_read_pinned(archive, name, pin) for name, pin in WHEEL_FILES.items()]
    write_bundle(bundle, *parts)


def _read_pinned(archive: zipfile.ZipFile, name: str, sha256: str) -> bytes:
    try:
        size = archive.getinfo(name).file_size
    except KeyError:
        raise PoseError(f"the wheel holds no {name}") from None
    if size > MAX_BYTES:
        raise PoseError(f"{name} has {size} bytes, expected at most {MAX_BYTES}")
    data = archive.read(name)
    _check_sha256(name, data, (sha256,))
    return data


def _from_url(bundle: Path, url: str, sha256: tuple[str, ...]) -> None:
    with urllib.request.urlopen(url, timeout=URL_TIMEOUT) as answer:
        data = answer.read(MAX_BYTES + 1)
    _check_sha256(url, data, sha256)
    bundle.write_bytes(data)


def _check_sha256(name: str, data: bytes, expected: tuple[str, ...]) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found not in expected:
        raise PoseError(
            f"{name} has SHA-256 {found}, expected {' or '.join(expected)}: not the file this "
            "program was tested with, so it is not used"
        )
