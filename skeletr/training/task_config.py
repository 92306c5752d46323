"""Configuration of one task: where its samples come from, and what is asked of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from skeletr.datasets import DATASETS
from skeletr.datasets.task_targets import KINDS, Kind
from skeletr.evaluation.task import TaskInfo

LAMBDA = 100.0  # of the binary cross entropy of tasks of several labels (paper, section 5)
_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class TaskConfig:
    """One data set, or one mixture of data sets, with a head of its own.

    name: of its folder and in the log. source: "composed" = scenes composed from clips of several
    data sets under one vocabulary; "clips" = one data set under its own action names, each clip a
    scene; "store" = a folder that `python -m skeletr prepare` wrote. data: the data set, or the
    folder. datasets: of composed scenes, () = those of the run. fold: official division, 0 =
    that of the run. merge: action name -> name under which it counts, null = left out.
    kind: "instance" = a label per sequence, "video" = one per scene, "multilabel" = any number
    per sequence. weight: of its loss. window: seconds that are related with one another, 0 = as
    in `sequences`; AVA 5 or 10. share: of the scenes of a batch, 0 = by the number of samples.
    """

    name: str = "actions"
    source: Literal["composed", "clips", "store"] = "composed"
    data: str = ""
    datasets: tuple[str, ...] = ()
    fold: int = 0
    merge: Mapping[str, str | None] = field(default_factory=dict)
    kind: Kind = "instance"
    weight: float = 1.0
    window: float = 0.0
    share: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "datasets", tuple(self.datasets))
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"task name is {self.name!r}, expected letters, digits, - and _")
        for name, value, expected in (
            ("source", self.source, ("composed", "clips", "store")),
            ("kind", self.kind, KINDS),
        ):
            if value not in expected:
                raise ValueError(f"{self.name}: {name} is {value!r}, expected one of {expected}")
        if min(self.weight, self.window, self.share, self.fold) < 0 or self.weight == 0:
            raise ValueError(f"{self.name}: weight, window, share and fold must not be negative")
        if not isinstance(self.merge, Mapping):
            raise ValueError(f"{self.name}: merge is {self.merge!r}, expected NAME: NAME or null")
        self._check_source()

    def _check_source(self) -> None:
        unknown = set(self.datasets) - set(DATASETS)
        if unknown:
            raise ValueError(f"{self.name}: no datasets {sorted(unknown)}, expected {[*DATASETS]}")
        if self.source == "composed" and (self.data or self.merge or self.kind != "instance"):
            raise ValueError(f"{self.name}: composed scenes take datasets, not data, merge or kind")
        if self.source == "clips" and self.data not in DATASETS:
            raise ValueError(f"{self.name}: data is {self.data!r}, expected one of {[*DATASETS]}")
        if self.source == "store" and not self.data:
            raise ValueError(f"{self.name}: data is missing, expected the folder of the store")

    @property
    def finite(self) -> bool:
        """Whether there is a number of samples, so that epochs can be counted."""
        return self.source != "composed"

    @property
    def heads(self) -> tuple[str, ...]:
        """Which heads it trains; composed scenes have labels for people and for the scene."""
        if self.source == "composed":
            return ("instance", "scene")
        return ("scene",) if self.kind == "video" else ("instance",)

    @property
    def losses(self) -> tuple[str, ...]:
        """What its heads are judged by: "sequences", "scenes"."""
        return tuple("sequences" if head == "instance" else "scenes" for head in self.heads)

    @property
    def factor(self) -> float:
        """Of its loss: its weight, times lambda where it has several labels."""
        return self.weight * (LAMBDA if self.kind == "multilabel" else 1.0)

    def info(self) -> TaskInfo:
        """What its checkpoint says about it."""
        return TaskInfo(self.name, self.source, self.kind, self.data, self.fold, dict(self.merge))
