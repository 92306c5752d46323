"""All clips of several data sets, with a validation part held out of the training part."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from skeletr.datasets.archives import dataset_folder
from skeletr.datasets.clip import Clip, DatasetError
from skeletr.datasets.jhmdb import read_jhmdb
from skeletr.datasets.kard import read_kard
from skeletr.datasets.kinder_gator import read_kinder_gator
from skeletr.datasets.penn_action import read_penn_action
from skeletr.datasets.sbu import read_sbu
from skeletr.datasets.utkinect import read_utkinect

# Our name -> (folder or archive, reader).
DATASETS: dict[str, tuple[str, Callable[[Path], Iterator[Clip]]]] = {
    "sbu": ("sbu_interaction", read_sbu),
    "kinder_gator": ("kinder_gator", read_kinder_gator),
    "jhmdb": ("jhmdb_gt_pose", read_jhmdb),
    "penn_action": ("penn_action_labels", read_penn_action),
    "kard": ("kard", read_kard),
    "utkinect": ("utkinect", read_utkinect),
}

# Groups (people, pairs) of the training part that only validate. Where people are not named,
# one clip in `_VALIDATION_SHARE` does, drawn by the checksum of its name.
VALIDATION_GROUPS: dict[str, frozenset[str]] = {
    "sbu": frozenset({"s01s07", "s03s06"}),
    "kinder_gator": frozenset({"976", "106"}),
    "kard": frozenset({"05"}),
    "utkinect": frozenset({"05"}),
}
_VALIDATION_SHARE = 12


def load_clips(root: Path, names: Iterable[str]) -> list[Clip]:
    """Read data sets; every clip says whether it trains, validates or tests.

    Raises:
        DatasetError: unknown name, data that are not there, or a broken file.
    """
    clips: list[Clip] = []
    for name in names:
        if name not in DATASETS:
            raise DatasetError(f"no data set {name!r}; expected some of {list(DATASETS)}")
        folder, reader = DATASETS[name]
        clips += [_hold_out(c) for c in reader(dataset_folder(root, folder))]
    return clips


def _hold_out(clip: Clip) -> Clip:
    """Move the validation groups out of the training part; the test part is never touched."""
    if clip.split != "train":
        return clip
    groups = VALIDATION_GROUPS.get(clip.dataset)
    if groups is not None:
        held = clip.group in groups
    else:
        held = zlib.crc32(clip.name.encode()) % _VALIDATION_SHARE == 0
    return replace(clip, split="val") if held else clip
