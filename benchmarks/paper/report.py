"""The tables of docs/PAPER.md, from what was measured; the text around them is written by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from benchmarks.paper.cells import (
    BENCHMARK,
    JHMDB,
    SBU,
    SCENES,
    SKELETR,
    TABLES,
    Variant,
    chosen,
    defined,
)
from benchmarks.paper.claims import verdicts
from benchmarks.paper.figures import Results
from benchmarks.paper.published import ADAPTIVE_SAVES, COST, INTERACTION, STAGE2, TRANSFER
from skeletr.model.cost import GIGA, MEGA, Cost, measure

_NOT_PRINTED = "-"
_BLOCK = re.compile(r"(<!-- paper: ([a-z0-9 ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_HEADS = {
    (BENCHMARK, "top1"): "people, top-1",
    (BENCHMARK, "interactions_map"): "people, mAP of interactions",
    (SCENES, "top1"): "scenes, top-1",
    (SBU, "top1"): "SBU, top-1",
    (JHMDB, "top1"): "JHMDB, top-1",
}


def fill(text: str, blocks: Mapping[str, str]) -> str:
    """Put the blocks between their marks, `<!-- paper: NAME -->` and `<!-- end -->`.

    Raises:
        ValueError: the text has a mark of another name, or none of some block.
    """
    names = [name for _, name, _ in _BLOCK.findall(text)]
    if sorted(names) != sorted(blocks):
        raise ValueError(f"the text has marks for {names}, expected each once of {[*blocks]}")
    return _BLOCK.sub(lambda m: f"{m[1]}{blocks[m[2]]}\n{m[3]}", text)


def blocks(results: Results) -> dict[str, str]:
    """Name of a block -> Markdown."""
    return {
        "state": _state(results),
        "cost": _cost(),
        "table 4": _table(4, results, _interaction, ("params, M", "G at 40x15", *_POSETICS_AVA)),
        "table 5": _table(5, results, _stage2, ("stage 2, G at 20x30", "paper, G")),
        "table 6": _table(6, results, _input, ("G", "paper, adaptive saves"), seconds=True),
        "table 7": _table(7, results, _transfer, ("paper: AVA mAP",)),
        "verdicts": "\n".join(f"- {line}" for line in verdicts(results)),
    }


_POSETICS_AVA = ("paper: Posetics", "paper: AVA mAP")


def _state(results: Results) -> str:
    cells = chosen([*TABLES], (0, 1, 2), ())
    ran = f"{len(results)} of {len(cells)} cells have been run."
    if not len(results):
        return f"{ran} Nothing here speaks for or against the paper yet, apart from cost."
    return f"{ran} Checksum of the benchmark: `{results.benchmarks[0]}`."


def _cost() -> str:
    lines = _head(
        ("network", "parameters", "G, Table 2", "paper", "G, Table 6", "paper", "command")
    )
    for (name, m, t), (params, table2, table6) in COST.items():
        cost = _measured(name, m, t)
        command = f"`python -m skeletr summary {name} --sequences {m} --frames {t}`"
        row = (
            f"{name}, {m}x{t}",
            f"{cost.parameters:,} = {cost.parameters / MEGA:.3f} M ({_printed(params)})",
            f"{cost.macs / GIGA:.3f}",
            _printed(table2),
            f"{cost.macs_training / GIGA:.3f}",
            _printed(table6, 3),
            command,
        )
        lines.append(_row(row))
    return "\n".join(lines)


def _table(
    number: int,
    results: Results,
    paper: Callable[[Variant], Sequence[str]],
    heads: Sequence[str],
    seconds: bool = False,
) -> str:
    table = TABLES[number]
    columns = [(task, name) for task, name in _HEADS if task in table.tasks]
    last = ("SBU, s per step", "command") if seconds else ("command",)
    lines = _head(("", *heads, *(_HEADS[c] for c in columns), *last))
    for row in table.rows:
        shown = [_cell(results, row, task, name) for task, name in columns]
        timed = [results.step_seconds(SBU, row)] if seconds else []
        command = f"`python -m benchmarks.paper {number} --cells '*/{row.name}/*'`"
        lines.append(_row((row.row, *paper(row), *shown, *timed, command)))
    return "\n".join(lines)


def _cell(results: Results, row: Variant, task: str, name: str) -> str:
    if not defined(row, task):
        return "not defined"
    return results.figure(task, row, name).text()


def _interaction(row: Variant) -> Sequence[str]:
    cost = _paper_size(row, 40, 15)
    posetics, ava = INTERACTION[row.name]
    return (
        f"{cost.parameters / MEGA:.3f}",
        f"{cost.macs / GIGA:.3f}",
        _printed(posetics),
        _printed(ava),
    )


def _stage2(row: Variant) -> Sequence[str]:
    return f"{_paper_size(row, 20, 30).stage2 / GIGA:.4f}", f"{STAGE2[row.name]:.3f}"


def _input(row: Variant) -> Sequence[str]:
    """Cost at the paper's size: M as it is fixed, and the mean over the range where it adapts."""
    if row.input == "2 long":
        name = "CTR-GCN" if row.backbone == "ctrgcn" else "ST-GCN++"
        return f"{_measured(name, 2, 300).macs / GIGA:.3f}", _NOT_PRINTED
    most, frames = (20, 30) if row.input.startswith("20x30") else (40, 15)
    least = most if row.input.endswith("fixed") else most // 4
    saves = ADAPTIVE_SAVES.get(row.name)
    macs = _mean_macs(row, range(least, most + 1), frames)
    return f"{macs / GIGA:.3f}", f"{saves} %" if saves else _NOT_PRINTED


def _mean_macs(row: Variant, sequences: range, frames: int) -> float:
    """Over all M of a range. Multiply-accumulates are a quadratic in M: three give all; without
    interaction a multiple of M, so that one does."""
    if row.interaction == "none":
        return _paper_size(row, sequences[-1], frames).macs * np.mean(sequences) / sequences[-1]
    known = sorted({sequences[0], sequences[len(sequences) // 2], sequences[-1]})
    macs = [_paper_size(row, m, frames).macs for m in known]
    curve = np.polynomial.Polynomial.fit(known, macs, len(known) - 1)
    return float(curve(np.array(sequences)).mean())


def _transfer(row: Variant) -> Sequence[str]:
    return (_printed(TRANSFER.get(row.name)),)


def _paper_size(row: Variant, sequences: int, frames: int) -> Cost:
    """Of S; with CTR-GCN of SkeleTR[C]."""
    name = "C" if row.backbone == "ctrgcn" else "S"
    if (row.interaction, row.aggregation) == (SKELETR.interaction, SKELETR.aggregation):
        return _measured(name, sequences, frames)
    options = (("interaction", row.interaction), ("aggregation", row.aggregation))
    return _measured(name, sequences, frames, options)


@cache  # a second each
def _measured(
    name: str, sequences: int, frames: int, options: tuple[tuple[str, object], ...] = ()
) -> Cost:
    return measure(name, sequences, frames, **dict(options))


def _printed(figure: float | None, digits: int = 2) -> str:
    return _NOT_PRINTED if figure is None else f"{figure:.{digits}f}"


def _head(names: Sequence[str]) -> list[str]:
    return [_row(names), "|" + "---|" * len(names)]


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(c) for c in cells) + " |"
