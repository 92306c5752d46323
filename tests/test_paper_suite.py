"""The paper's tables in miniature: the benchmark, the cells, what is kept and what is written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

import benchmarks.paper.run as runner
from benchmarks.paper import __main__ as suite_main
from benchmarks.paper.__main__ import main
from benchmarks.paper.cells import ALONE as GCN_ALONE
from benchmarks.paper.cells import SEEDS, SKELETR, SOURCE, TABLES, Cell, chosen, defined, source
from benchmarks.paper.charts import draw
from benchmarks.paper.figures import Figure, Results, load_results
from benchmarks.paper.heads import main as draw_heads
from benchmarks.paper.heads import name_heads
from benchmarks.paper.recipe import SHIPPED, Places, Schedule, config_of
from benchmarks.paper.report import blocks, fill
from benchmarks.paper.run import Suite, run_cells
from benchmarks.paper.store import checksum, make_benchmark
from skeletr.actions import Attention
from skeletr.datasets import DatasetError, multi_person
from skeletr.datasets.multi_person import ALONE, read_multi_person
from skeletr.datasets.sample import Sample
from skeletr.datasets.sbu import FOLDS
from skeletr.datasets.store import write_store
from skeletr.recording import Action

from .synthetic import scene

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "paper" / "results"
PLACES = Places(Path("data"), Path("store"), Path("work"), Path("start"))
QUICK = Schedule(steps=2, scenes=2, start_steps=2, start_scenes=6, threads=1)


# The benchmark


def _scenes() -> Iterator[Sample]:
    """A round of scenes of the real data, bystanders from the smallest set only."""
    if not os.environ.get("SKELETR_DATA"):
        pytest.skip("SKELETR_DATA is not set: it names the folder with the data sets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multi_person, "BYSTANDERS", ("florence3d",))
        patch.setattr(multi_person, "ROUNDS", {"train": 1, "val": 1, "test": 1})
        yield from read_multi_person(Path(os.environ["SKELETR_DATA"]))


@pytest.fixture(scope="module")
def scenes() -> list[Sample]:
    return list(_scenes())


def _clips(sample: Sample) -> list[tuple[str, str, str]]:
    """(data set, people, clip) of everybody in a scene."""
    parts = sample.recording.source.removeprefix("half of ").split("; ")
    return [tuple(part.removeprefix("half of ").split(" ", 2)) for part in parts]


def test_no_clip_and_no_bystander_is_in_both_parts(scenes: list[Sample]) -> None:
    """Pairs are those of the official fold, whose people meet others in the other part."""
    found: dict[str, set] = {"train": set(), "val": set(), "test": set()}
    for sample in scenes:
        for dataset, people, clip in _clips(sample):
            found[sample.split] |= {(dataset, people), (dataset, people, clip)}
    assert all(len(f) > 20 for f in found.values())
    assert not found["test"] & (found["train"] | found["val"])
    pairs = {people for dataset, people, *_ in found["test"] if dataset == "sbu"}
    assert pairs == set(FOLDS[0])


def test_a_label_is_of_two_people_or_it_is_alone(scenes: list[Sample]) -> None:
    sizes = set()
    for sample in scenes:
        own = [a for a in sample.recording.actions if a.person is not None]
        (common,) = (a for a in sample.recording.actions if a.person is None)
        labels = [a.label for a in own]
        together = [label for label in labels if label != ALONE]
        assert common.label == (together[0] if together else ALONE)
        assert together == [common.label] * (2 if sample.name.endswith("together") else 0)
        assert sorted(a.person for a in own) == list(range(len(own)))
        assert all(0 <= a.start < a.end <= sample.recording.end + 1e-6 for a in own)
        sizes.add(len(own))
    assert sizes == {2, 3, 4, 5, 6}


def test_both_scenes_of_a_clip_show_it(scenes: list[Sample]) -> None:
    """So that what one person does cannot tell whether it is done to somebody."""
    for together, apart in zip(scenes[::2], scenes[1::2], strict=True):
        assert together.name.removesuffix("together") == apart.name.removesuffix("apart")
        clip = together.name.rsplit("/", 2)[0]
        assert ("sbu", together.group, clip) in _clips(together)
        assert ("sbu", together.group, clip) in _clips(apart)
        assert len(together.recording.frame_times) == len(apart.recording.frame_times)


def test_the_same_data_give_the_same_scenes(scenes: list[Sample]) -> None:
    for old, new in zip(scenes[:10], islice(_scenes(), 10), strict=True):
        assert old.name == new.name
        assert old.recording.actions == new.recording.actions
        np.testing.assert_array_equal(old.recording.keypoints, new.recording.keypoints)


# The suite on a benchmark of twelve scenes


def _sample(label: str, number: int, split: str) -> Sample:
    made = scene([150 + 5 * number, 350], np.arange(30) / 15, speed=80.0 * (label != ALONE))
    actions = [Action(label, None, 0.0, 2.0), *(Action(label, p, 0.0, 2.0) for p in (0, 1))]
    return Sample(replace(made, actions=tuple(actions)), f"{label}/{number}", split)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("benchmark") / "store"
    splits = ("train", "train", "train", "train", "val", "test")
    labels = ("kick", ALONE)
    write_store(folder, [_sample(x, n, s) for x in labels for n, s in enumerate(splits)])
    return folder


def _suite(store: Path, folder: Path, schedule: Schedule = QUICK) -> Suite:
    places = Places(folder, store, folder / "work", folder / "start")
    return Suite(places, schedule, folder / "results", make_benchmark(store, folder))


# From nothing: what the others start from is trained on the real sets of single people.
CELLS = [
    Cell("people", replace(GCN_ALONE, regime="scratch"), 0),
    Cell("scenes", replace(SKELETR, regime="scratch"), 0),
]


def test_cells_leave_results_and_are_run_once(store, tmp_path) -> None:
    suite, said = _suite(store, tmp_path), []
    assert run_cells(suite, CELLS, 0, said.append) == 0
    found = load_results(suite.results, QUICK.key)
    assert len(found) == 2
    assert set(suite.found(CELLS[0])["figures"]) >= {"top1", "mean_class", "interactions_map"}
    assert [point[0] for point in suite.found(CELLS[1])["curve"]] == [1, 2]
    assert not [*suite.places.work.rglob("*.safetensors")]
    before = {p: p.stat().st_mtime_ns for p in suite.results.iterdir()}
    assert run_cells(suite, CELLS, 0, said.append) == 0
    assert said[-1] == "2 of 2 cells are finished"
    assert before == {p: p.stat().st_mtime_ns for p in suite.results.iterdir()}


@pytest.mark.parametrize("name", ["long", "long-ctrgcn", "20x30-fixed", "txp"])
def test_rows_of_all_kinds_are_trained_and_tested(name, store, tmp_path) -> None:
    rows = {row.name: row for table in TABLES.values() for row in table.rows}
    cell = Cell("scenes", replace(rows[name], regime="scratch"), 0)
    suite = _suite(store, tmp_path, Schedule(steps=1, scenes=2, threads=1))
    assert run_cells(suite, [cell], 0, lambda _: None) == 0
    assert suite.found(cell)["figures"]["units"] == 2


def test_results_of_other_data_or_schedules_do_not_count(store, tmp_path) -> None:
    suite = _suite(store, tmp_path)
    run_cells(suite, CELLS[:1], 0, lambda _: None)
    assert suite.finished(CELLS[0])
    assert not replace(suite, benchmark="other").finished(CELLS[0])
    assert not replace(suite, schedule=Schedule(steps=3, scenes=2)).finished(CELLS[0])


def test_a_killed_cell_goes_on_and_ends_the_same(store, tmp_path, monkeypatch, capsys) -> None:
    whole = _suite(store, tmp_path / "whole")
    run_cells(whole, CELLS[1:], 0, lambda _: None)
    suite = _suite(store, tmp_path / "killed")

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(runner, "measure", kill)
        run_cells(suite, CELLS[1:], 0, lambda _: None)
    assert not suite.finished(CELLS[1])
    capsys.readouterr()
    run_cells(suite, CELLS[1:], 0, lambda _: None)
    assert "continue after step 2" in capsys.readouterr().out
    for part in ("figures", "curve"):
        assert suite.found(CELLS[1])[part] == whole.found(CELLS[1])[part]


def test_half_done_runs_of_other_data_are_not_gone_on_with(store, tmp_path, monkeypatch) -> None:
    suite = _suite(store, tmp_path)
    old = suite.places.work / CELLS[0].name
    old.mkdir(parents=True)
    (old / "stamp.json").write_text("{}")
    (old / "run").mkdir()
    (old / "run" / "last.safetensors").write_text("of another schedule")
    assert run_cells(suite, CELLS[:1], 0, lambda _: None) == 0


def test_a_budget_ends_before_a_cell_that_would_not_fit(store, tmp_path) -> None:
    suite, said = _suite(store, tmp_path), []
    again = [replace(CELLS[0], seed=seed) for seed in SEEDS]
    run_cells(suite, again[:1], 0, said.append)
    assert run_cells(suite, again, 1e-6, said.append) == 2
    assert "budget" in said[-1]


def test_parts_share_the_cells_between_them(store, tmp_path, monkeypatch, capsys) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(
        suite_main, "run_cells", lambda suite, cells, *_: ran.append([c.name for c in cells])
    )
    places = ["--data", str(tmp_path), "--store", str(store), "--results", str(tmp_path)]
    places += ["--start", str(tmp_path / "start")]
    assert main(["4", "--seeds", "0", *places, "--part", "1/2"]) == 1
    assert "--starts" in capsys.readouterr().err and not ran
    monkeypatch.setattr(Suite, "finished", lambda suite, cell: cell.task == SOURCE)
    for part in (["--part", "1/2"], ["--part", "2/2"], ["--starts"]):
        assert main(["4", "--seeds", "0", *places, *part]) == 0
    first, second, starts = map(set, ran)
    assert starts == {"single/gcn/0"} and not first & second
    assert first | second | starts == {c.name for c in chosen([4], (0,), ())}
    assert main(["4", "--seeds", "0", *places]) == 0  # one call does all of it
    assert set(ran[-1]) == first | second | starts
    with pytest.raises(SystemExit):
        main(["--part", "3/2"])


def test_the_checksum_is_of_the_contents(store, tmp_path) -> None:
    samples = [_sample("kick", 0, "train"), _sample(ALONE, 1, "train")]
    for name, changed in (("a", samples), ("b", samples), ("c", samples[::-1])):
        write_store(tmp_path / name, changed)
    assert checksum(tmp_path / "a") == checksum(tmp_path / "b") != checksum(tmp_path / "c")
    with pytest.raises(DatasetError, match="no store"):
        checksum(tmp_path)


# What is compared with what


def test_every_cell_is_trained_once_and_has_its_own_file() -> None:
    cells = chosen([*TABLES], SEEDS, ())
    assert len({c.name for c in cells}) == len({c.file for c in cells}) == len(cells)
    for table in TABLES.values():
        for row in table.rows:
            for task in table.tasks:
                assert (Cell(task, row, 0) in cells) == defined(row, task)


def test_all_candidates_of_a_task_have_the_same_schedule(tmp_path) -> None:
    places = Places(tmp_path, tmp_path, tmp_path, tmp_path)
    seen: dict[str, set] = {}
    for cell in chosen([*TABLES], (0,), ()):
        if cell.task == SOURCE:  # what others start from
            continue
        config = config_of(cell, places, Schedule())
        shares = [task.share for task in config.tasks]
        own = config.steps * config.scenes_per_batch * shares[0] / sum(shares)
        facts = (own, config.size, config.rate, config.optimiser, config.dropout, config.ema)
        seen.setdefault(cell.task, set()).add(facts)
    assert all(len(facts) == 1 for facts in seen.values())


@pytest.mark.parametrize(
    "pattern, name, part",
    [
        ("sbu/finetuned/1", "whole", "trunk"),
        ("sbu/skeletr/1", "gcn", "backbone"),
        ("people/gcn/2", "gcn", "backbone"),
        ("people/ctrgcn/1", "ctrgcn", "backbone"),
    ],
)
def test_what_others_start_from_is_trained_before(pattern, name, part) -> None:
    start, cell = chosen([*TABLES], SEEDS, (pattern,))
    assert start == source(cell.variant) and start.variant.regime == "source"
    config = config_of(cell, PLACES, Schedule())
    assert (Path(config.init), config.init_part) == (Path(f"start/{name}"), part)
    theirs = config_of(start, PLACES, Schedule())
    assert theirs.backbone == config.backbone
    assert (theirs.init == str(SHIPPED)) == (name == "gcn")


def test_who_starts_from_nothing_starts_from_nothing() -> None:
    for pattern in ("sbu/scratch/0", "sbu/joint/0"):
        (cell,) = chosen([7], (0,), (pattern,))
        assert source(cell.variant) is None
        assert not config_of(cell, PLACES, Schedule()).init


# What is written


def _result(name: str, value: float, benchmark: str = "abc") -> dict:
    figures = {"top1": value, "interactions_map": value}
    facts = {"seconds_per_step": 0.5, "curve": [[1, 0.2], [2, value]], "seconds": 10}
    schedule = Schedule().key
    return {"cell": name, "schedule": schedule, "benchmark": benchmark, "figures": figures, **facts}


def _results() -> Results:
    values = {"people/skeletr/0": 0.6, "people/skeletr/1": 0.7, "people/gcn/0": 0.5}
    return Results({name: _result(name, value) for name, value in values.items()})


def test_figures_say_how_many_seeds_they_are_of() -> None:
    assert Figure({}).text() == "not run yet"
    assert Figure({1: 0.5}).text() == "50.0 (1 seed)"
    assert Figure({0: 0.6, 1: 0.7}).text() == "65.0 ± 7.1 (2 seeds)"


def test_tables_hold_what_was_run_and_nothing_else() -> None:
    made = blocks(_results())
    row = next(line for line in made["table 4"].splitlines() if "SkeleTR" in line)
    assert "65.0 ± 7.1 (2 seeds)" in row
    assert row.count("not run yet") == 2  # SBU and JHMDB
    assert (
        "skeletr above gcn on people (top1): **agrees**, +10.0 points, 1 of 1" in made["verdicts"]
    )
    assert "not defined" in made["table 6"]


def test_costs_are_within_the_paper_s() -> None:
    rows = [line.split("|") for line in blocks(_results())["table 5"].splitlines()[2:]]
    for row in rows:
        ours, paper = float(row[2]), float(row[3])
        assert ours == pytest.approx(paper, rel=0.006, abs=6e-4)


def test_results_of_two_benchmarks_are_refused() -> None:
    with pytest.raises(DatasetError, match="different benchmarks"):
        Results({"a": _result("a", 0.5), "b": _result("b", 0.5, "other")})


def test_a_broken_result_is_named(tmp_path) -> None:
    (tmp_path / "people.gcn.0.json").write_text("{")
    with pytest.raises(DatasetError, match=r"people\.gcn\.0\.json"):
        load_results(tmp_path, Schedule().key)


def test_marks_must_fit() -> None:
    text = "a\n<!-- paper: one -->\nold\n<!-- end -->\nb\n"
    assert fill(text, {"one": "new"}) == "a\n<!-- paper: one -->\nnew\n<!-- end -->\nb\n"
    with pytest.raises(ValueError, match="two"):
        fill(text, {"two": "new"})


def test_the_documentation_says_what_the_results_say() -> None:
    text = (ROOT / "docs" / "PAPER.md").read_text(encoding="utf-8")
    assert fill(text, blocks(load_results(RESULTS, Schedule().key))) == text


def test_pictures_are_drawn_of_what_there_is(tmp_path) -> None:
    assert [p.name for p in draw(_results(), tmp_path)] == ["paper-curves.png", "paper-inputs.png"]
    assert [*draw(Results({}), tmp_path / "none")] == []


def test_heads_are_named_by_where_they_look() -> None:
    person, times = np.repeat([0, 1], 3), np.tile([0.0, 0.7, 1.4], 2)
    same = person[:, None] == person[None]
    across = ~same & (times[:, None] == times[None])
    even = np.full((6, 6), 1 / 6)
    following = np.where(same, 1 / 3, 0.0)
    linking = 0.6 * across + 0.4 * even
    first, second = np.stack([even] * 3), np.stack([linking, even, following])
    named = name_heads(Attention(np.stack([first, second]).astype(np.float32), times, person))
    assert (named.follows.layer, named.follows.head, named.links.head) == (1, 2, 0)
    assert "head 3: 67 % of its attention within one person" in named.sentences()[0]
    assert "too little" not in " ".join(named.sentences())


def test_heads_of_a_real_handshake(tmp_path, capsys) -> None:
    if not os.environ.get("SKELETR_DATA"):
        pytest.skip("SKELETR_DATA is not set: it names the folder with the data sets")
    path = tmp_path / "heads.png"
    assert draw_heads(["--out", str(path)]) == 0
    assert path.stat().st_size > 10_000
    assert "links the two: head" in capsys.readouterr().out


def test_on_the_command_line(tmp_path, capsys) -> None:
    assert main(["4", "--seeds", "0", "--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 16  # and what they start from
    assert main(["4", "--cells", "nothing/*"]) == 1
    assert "nothing/*" in capsys.readouterr().err
    assert main(["4", "--data", str(tmp_path / "absent")]) == 1
    assert "not a folder" in capsys.readouterr().err
    (tmp_path / "x.json").write_text(json.dumps([]))
    assert main(["--write", str(tmp_path / "x.md"), "--results", str(tmp_path)]) == 1
    assert "x.json" in capsys.readouterr().err
