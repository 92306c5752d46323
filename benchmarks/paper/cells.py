"""What is measured: the rows of Tables 4 to 7, each on every task that it is defined for.

Rows of several tables that are the same thing are the same cells, trained once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from skeletr.model.config import MIX, BackboneKind, Interaction

Regime = Literal["scratch", "source", "stage 1", "finetuned", "joint"]
Input = Literal["40x15", "40x15 fixed", "20x30", "20x30 fixed", "2 long"]

BENCHMARK, SCENES, SBU, JHMDB, SOURCE = "people", "scenes", "sbu", "jhmdb", "single"
TASKS = (BENCHMARK, SCENES, SBU, JHMDB)
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Variant:
    """One candidate. name: in file names and on the command line. row: as the tables call it.
    regime: "source" = a run that others start from; "stage 1" = the graph convolutions start from
    one, "finetuned" = the whole network does."""

    name: str
    row: str
    interaction: Interaction = "transformer"
    aggregation: tuple[str, ...] = MIX
    backbone: BackboneKind = "stgcn++"
    input: Input = "40x15"
    regime: Regime = "stage 1"


@dataclass(frozen=True)
class Cell:
    """One training: a candidate on a task, by a seed."""

    task: str
    variant: Variant
    seed: int

    @property
    def name(self) -> str:
        """TASK/VARIANT/SEED, what `--cells` matches."""
        return f"{self.task}/{self.variant.name}/{self.seed}"

    @property
    def file(self) -> str:
        """Of its result."""
        return self.name.replace("/", ".") + ".json"


@dataclass(frozen=True)
class Table:
    """One of the paper's tables. rows: candidates. tasks: columns."""

    number: int
    title: str
    rows: tuple[Variant, ...]
    tasks: tuple[str, ...]

    def cells(self, seeds: Iterable[int]) -> list[Cell]:
        """Seed by seed, so that every row has one result before any has two."""
        return [
            Cell(task, row, seed)
            for seed in seeds
            for task in self.tasks
            for row in self.rows
            if defined(row, task)
        ]


SKELETR = Variant("skeletr", "SkeleTR: Transformer, Mix Pooling, 40x15, adaptive M")
ALONE = Variant("gcn", "ST-GCN++ alone, sequence by sequence", "none", ("1x1",))
_CTR = Variant("ctrgcn", "CTR-GCN alone, sequence by sequence", "none", ("1x1",), "ctrgcn")
_LONG = Variant("long", "ST-GCN++, 2 long sequences", "none", ("1x1",), input="2 long")
_LONG_CTR = Variant(
    "long-ctrgcn", "CTR-GCN, 2 long sequences", "none", ("1x1",), "ctrgcn", "2 long"
)
# Stage 1 of all rows starts from ST-GCN++ (CTR-GCN) trained alone, so that the rows without
# interaction begin with as much that belongs to them as any other.
_STAGE1 = {
    kind: Variant(name, f"{row}, to start from", "none", ("1x1",), kind, regime="source")
    for kind, name, row in (
        ("stgcn++", "gcn", "ST-GCN++ alone"),
        ("ctrgcn", "ctrgcn", "CTR-GCN alone"),
    )
}
_WHOLE = Variant("whole", "SkeleTR, to start from", regime="source")


def _pooled(*streams: str) -> Variant:
    name = "+".join(streams)
    return Variant(name.lower(), name, aggregation=streams)


def _fed(name: str, input: Input) -> Variant:
    return Variant(name, f"SkeleTR, {name.replace('-', ', ')} M", input=input)


TABLES = {
    4: Table(
        4,
        "Interaction modelling",
        (
            ALONE,
            Variant("add-global", "add global", "add global"),
            Variant("concat-global", "concat global", "concat global"),
            Variant("non-local", "non-local", "non-local"),
            SKELETR,
        ),
        (BENCHMARK, SBU, JHMDB),
    ),
    5: Table(
        5,
        "Feature aggregation",
        (
            _pooled("1x1"),
            _pooled("TxP"),
            _pooled("Tx1"),
            _pooled("1xP"),
            _pooled("1xV"),
            _pooled("1x1", "Tx1"),
            _pooled("1x1", "1xP"),
            _pooled("Tx1", "1xP"),
            SKELETR,
        ),
        (BENCHMARK, SBU, JHMDB),
    ),
    6: Table(
        6,
        "Input",
        (
            _LONG,
            _LONG_CTR,
            ALONE,
            _CTR,
            _fed("20x30-fixed", "20x30 fixed"),
            _fed("20x30-adaptive", "20x30"),
            _fed("40x15-fixed", "40x15 fixed"),
            SKELETR,
        ),
        TASKS,
    ),
    7: Table(
        7,
        "Joint training and transfer",
        (
            Variant(
                "gcn-scratch",
                "ST-GCN++ alone, from nothing",
                "none",
                ("1x1",),
                regime="scratch",
            ),
            Variant("scratch", "from nothing", regime="scratch"),
            Variant("finetuned", "first single people, then the task", regime="finetuned"),
            Variant("joint", "single people and the task at once", regime="joint"),
        ),
        (BENCHMARK, SBU, JHMDB),
    ),
}


def defined(variant: Variant, task: str) -> bool:
    """Long sequences are linked by confidence, whoever that is: they say nothing of a person."""
    return not (variant.input == "2 long" and task == BENCHMARK)


def source(variant: Variant) -> Cell | None:
    """The run whose weights a row starts from, the same for all tasks and seeds; None = nothing."""
    if variant.regime == "finetuned":
        return Cell(SOURCE, _WHOLE, 0)
    return Cell(SOURCE, _STAGE1[variant.backbone], 0) if variant.regime == "stage 1" else None


def chosen(tables: Sequence[int], seeds: Sequence[int], patterns: Sequence[str]) -> list[Cell]:
    """The cells of some tables, each once, in the order in which they are run.

    Args:
        patterns: like "people/*/0"; a cell must match one of them, () = all.
    """
    found: dict[str, Cell] = {}
    for seed in seeds:
        for number in tables:
            for cell in TABLES[number].cells([seed]):
                if not patterns or any(fnmatchcase(cell.name, p) for p in patterns):
                    if start := source(cell.variant):
                        found.setdefault(start.name, start)
                    found.setdefault(cell.name, cell)
    return list(found.values())
