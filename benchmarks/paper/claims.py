"""What the paper claims, and whether it is so here: by the seeds that both sides have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.paper.cells import BENCHMARK, JHMDB, SBU, SCENES, TABLES, Variant
from benchmarks.paper.figures import Figure, Results

_SAME = 0.01  # a difference within which one thing is as good as another


@dataclass(frozen=True)
class Claim:
    """better, worse: names of rows. equal: "as good as" rather than "above"."""

    better: str
    worse: str
    task: str
    figure: str = "top1"
    equal: bool = False


_SINGLE = ("1x1", "txp", "tx1", "1xp", "1xv")
CLAIMS = (
    Claim("skeletr", "gcn", BENCHMARK, "interactions_map"),
    Claim("skeletr", "gcn", BENCHMARK),
    Claim("skeletr", "gcn", SBU),
    # Why not, where it is not: there, what both start from was trained on these clips alone.
    Claim("scratch", "gcn-scratch", SBU),
    Claim("scratch", "gcn-scratch", BENCHMARK, "interactions_map"),
    *(
        Claim("skeletr", name, BENCHMARK, figure)
        for figure in ("interactions_map", "top1")
        for name in _SINGLE
    ),
    *(
        Claim(name, "long", task)
        for task in (SCENES, SBU)
        for name in ("skeletr", "20x30-adaptive")
    ),
    *(
        Claim(f"{name}", f"{fixed}-fixed", SBU, equal=True)
        for name, fixed in (("skeletr", "40x15"), ("20x30-adaptive", "20x30"))
    ),
    *(
        Claim(name, "scratch", task)
        for task in (BENCHMARK, SBU, JHMDB)
        for name in ("finetuned", "joint")
    ),
)


def verdicts(results: Results) -> Iterator[str]:
    """A sentence per claim."""
    rows = {row.name: row for table in TABLES.values() for row in table.rows}
    for claim in CLAIMS:
        yield _verdict(claim, rows[claim.better], rows[claim.worse], results)


def _verdict(claim: Claim, better: Variant, worse: Variant, results: Results) -> str:
    first, second = (results.figure(claim.task, row, claim.figure) for row in (better, worse))
    relation = "as good as" if claim.equal else "above"
    what = f"{better.name} {relation} {worse.name} on {claim.task} ({claim.figure})"
    common = sorted(set(first.values) & set(second.values))
    if not common:
        return f"{what}: not run yet"
    gains = Figure({seed: first.values[seed] - second.values[seed] for seed in common})
    so = [g >= -_SAME if claim.equal else g > 0 for g in gains.values.values()]
    word = "agrees" if all(so) else "disagrees" if not any(so) else "undecided"
    spread = f" ± {100 * gains.spread:.1f}" if len(common) > 1 else ""
    return (
        f"{what}: **{word}**, {100 * gains.mean:+.1f}{spread} points, {sum(so)} of {len(so)} seeds"
    )
