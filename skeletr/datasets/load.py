"""All clips of several data sets, with a validation part held out of the training part."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from skeletr.datasets.archives import dataset_folder
from skeletr.datasets.clip import Clip, DatasetError
from skeletr.datasets.cmu_mocap import read_cmu_mocap
from skeletr.datasets.florence3d import read_florence3d
from skeletr.datasets.jhmdb import read_jhmdb
from skeletr.datasets.kard import read_kard
from skeletr.datasets.kinder_gator import read_kinder_gator
from skeletr.datasets.msr_action3d import read_msr_action3d
from skeletr.datasets.penn_action import read_penn_action
from skeletr.datasets.sbu import FOLDS, read_sbu, validation_pairs
from skeletr.datasets.urfd import read_urfd
from skeletr.datasets.utkinect import read_utkinect

# Our name -> (folder or archive, reader).
DATASETS: dict[str, tuple[str, Callable[..., Iterator[Clip]]]] = {
    "sbu": ("sbu_interaction", read_sbu),
    "kinder_gator": ("kinder_gator", read_kinder_gator),
    "jhmdb": ("jhmdb_gt_pose", read_jhmdb),
    "penn_action": ("penn_action_labels", read_penn_action),
    "kard": ("kard", read_kard),
    "utkinect": ("utkinect", read_utkinect),
    "msr_action3d": ("msr_action3d", read_msr_action3d),
    "florence3d": ("florence3d", read_florence3d),
    "cmu_mocap": ("cmu_mocap_bvh", read_cmu_mocap),
    "urfd": ("urfd_pose", read_urfd),
}
# Never part of the default data sets: the licence of UR Fall (CC BY-NC-SA 4.0) keeps it out of
# weights that are given away.
EXPERIMENTS_ONLY = frozenset({"urfd"})
# Data sets with several official divisions -> how many (`splits` of `load_clips`, 1 is usual).
OFFICIAL_SPLITS = {"sbu": len(FOLDS), "jhmdb": 3}

# Groups (people, pairs) of the training part that only validate; none where the reader says so
# itself. Where people are not named, one clip in `_VALIDATION_SHARE` does, drawn by the checksum
# of its name.
VALIDATION_GROUPS: dict[str, frozenset[str]] = {
    "sbu": validation_pairs(1),
    "kinder_gator": frozenset({"976", "106"}),
    "kard": frozenset({"05"}),
    "utkinect": frozenset({"05"}),
    "msr_action3d": frozenset({"09"}),
    "florence3d": frozenset({"s7"}),
    "cmu_mocap": frozenset(),
    "urfd": frozenset(),
}
_VALIDATION_SHARE = 12


def load_clips(
    root: Path,
    names: Iterable[str],
    *,
    unlabelled: bool = False,
    splits: Mapping[str, int] | None = None,
) -> list[Clip]:
    """Read data sets; every clip says whether it trains, validates or tests.

    Args:
        root: the folder with the data sets.
        unlabelled: also give the clips whose action has no label of the vocabulary.
        splits: data set -> which of its official divisions, see `OFFICIAL_SPLITS`.

    Raises:
        DatasetError: unknown name or division, data that are not there, or a broken file.
    """
    splits = splits or {}
    for name, number in splits.items():
        if not 1 <= number <= OFFICIAL_SPLITS.get(name, 0):
            raise DatasetError(f"{name} has no split {number}; expected 1 to {OFFICIAL_SPLITS}")
    clips: list[Clip] = []
    for name in names:
        if name not in DATASETS:
            raise DatasetError(f"no data set {name!r}; expected some of {list(DATASETS)}")
        folder, reader = DATASETS[name]
        chosen = (splits[name],) if name in splits else ()
        found = reader(dataset_folder(root, folder), *chosen)
        groups = validation_pairs(*chosen) if name == "sbu" else VALIDATION_GROUPS.get(name)
        clips += [_hold_out(c, groups) for c in found if unlabelled or c.label is not None]
    return clips


def _hold_out(clip: Clip, groups: frozenset[str] | None) -> Clip:
    """Move the validation groups out of the training part; the test part is never touched."""
    if clip.split != "train":
        return clip
    if groups is not None:
        held = clip.group in groups
    else:
        held = zlib.crc32(clip.name.encode()) % _VALIDATION_SHARE == 0
    return replace(clip, split="val") if held else clip
