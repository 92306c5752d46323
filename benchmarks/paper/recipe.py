"""A cell -> the trainer's configuration: one miniature schedule, the same for all candidates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.paper.cells import BENCHMARK, JHMDB, SBU, SCENES, SOURCE, Cell, Input, source
from skeletr.sequences import SequenceConfig
from skeletr.training import TrainConfig
from skeletr.training.augment import AugmentConfig
from skeletr.training.task_config import TaskConfig

# Ranges of M while training; the paper's [10, 40] and [5, 20] in the same proportions, for scenes
# here are of two seconds. Tests take all sequences of a scene, as in the paper.
_M: dict[Input, tuple[int, int]] = {
    "40x15": (3, 12),
    "40x15 fixed": (12, 12),
    "20x30": (2, 6),
    "20x30 fixed": (6, 6),
    "2 long": (2, 2),
}
# Who is judged sequence by sequence learns more from many clips than from many sequences of each.
_M_OF_START = (2, 4)
_SINGLE = ("penn_action", "kinder_gator")  # sets of single people, to start from or to join
# Stage 1 of ST-GCN++ goes on from that of the shipped checkpoint, whose training part is the same.
SHIPPED = Path(__file__).parent.parent.parent / "checkpoints" / "skeletr-s"
_FROM_NOTHING = 4  # times the steps of a start that goes on from there
_LONG_FRAMES = 60  # the paper's 300; clips here have 15 to 45 frames, so each is whole in it
_AUGMENT = AugmentConfig(camera=0.8, noisy=0.4)
_AUGMENT_SCENES = AugmentConfig(scale=0.2, shift=0.05, speed=0.1, noisy=0.0)  # noisy already


@dataclass(frozen=True)
class Places:
    """data: the folder with the data sets. store: of the benchmark. work: of runs that go on.
    start: of the weights that others start from, kept so that a suite can go on elsewhere."""

    data: Path
    store: Path
    work: Path
    start: Path


@dataclass(frozen=True)
class Schedule:
    """steps: of one task. scenes: of a step, of one task, JHMDB with its single people three times
    that. rate: the learning rate. start_...: the same of what others start from. threads: of the
    network, 0 = all cores; two cells side by side with one each are done sooner than one after the
    other."""

    steps: int = 600
    scenes: int = 8
    rate: float = 1e-3
    start_steps: int = 600
    start_scenes: int = 24
    start_rate: float = 2e-3
    threads: int = 0

    @property
    def key(self) -> dict[str, int | float | str]:
        """What results must have in common to be compared."""
        start = f"stage 1 alone, {self.start_steps} x {self.start_scenes}"
        return {
            "steps": self.steps,
            "scenes": self.scenes,
            "rate": self.rate,
            "start": start,
        }


def config_of(cell: Cell, places: Places, schedule: Schedule) -> TrainConfig:
    """How a cell is trained. A joint run has twice the steps, so that its own task is seen as
    often as by one that is trained from scratch."""
    variant, init = cell.variant, _init(cell, places)
    folder = places.work / cell.name
    tasks = _tasks(cell, places)
    steps, scenes = _length(cell, schedule)
    return TrainConfig(
        output=str(folder / "out"),
        run=str(folder / "run"),
        data=str(places.data),
        tasks=tasks,
        init=init,
        init_part="backbone" if init and variant.regime != "finetuned" else "trunk",
        fold=1,
        seed=cell.seed,
        interaction=variant.interaction,
        aggregation=variant.aggregation,
        backbone=variant.backbone,
        sequences=_sequences(variant.input),
        sequences_per_scene=_sequences_per_scene(cell),
        augment=_AUGMENT_SCENES if cell.task in (BENCHMARK, SCENES) else _AUGMENT,
        steps=steps,
        scenes_per_batch=scenes,
        batch=80 if variant.input != "2 long" else 20,
        rate=schedule.start_rate if cell.task == SOURCE else schedule.rate,
        warmup=max(1, steps // 10),
        ema=0.98,
        bf16=True,
        device="cpu",
        threads=schedule.threads,
        log_every=max(1, steps // 6),
        validate_every=steps,
        save_every=max(1, steps // 6),
    )


def _init(cell: Cell, places: Places) -> str:
    if start := source(cell.variant):
        return str(start_folder(start, places))
    return str(SHIPPED) if _goes_on(cell) else ""


def _goes_on(cell: Cell) -> bool:
    """Whether a start goes on from the shipped weights."""
    variant = cell.variant
    alone = variant.interaction == "none"
    return cell.task == SOURCE and alone and variant.backbone == "stgcn++"


def _length(cell: Cell, schedule: Schedule) -> tuple[int, int]:
    """Steps, and scenes in each; of starts with about the same number of sequences in each."""
    if cell.task == SOURCE:
        steps = schedule.start_steps * (1 if _goes_on(cell) else _FROM_NOTHING)
        alone = cell.variant.interaction == "none"
        return steps, schedule.start_scenes // (1 if alone else 3)
    steps = schedule.steps * (2 if cell.variant.regime == "joint" else 1)
    return steps, schedule.scenes * (3 if cell.task == JHMDB else 1)


def _sequences_per_scene(cell: Cell) -> tuple[int, int]:
    alone = cell.variant.interaction == "none"
    return _M_OF_START if cell.task == SOURCE and alone else _M[cell.variant.input]


def start_folder(start: Cell, places: Places) -> Path:
    """The weights of a run that others start from."""
    return places.start / start.variant.name


def _tasks(cell: Cell, places: Places) -> tuple[TaskConfig, ...]:
    single = [TaskConfig(d, "clips", d, kind="video", share=0.25) for d in _SINGLE]
    if cell.task == SOURCE:
        alone = cell.variant.interaction == "none"
        pairs = [_task(SBU, places), _task(JHMDB, places)] if alone else []
        return (*pairs, *single)
    return (_task(cell.task, places), *(single if cell.variant.regime == "joint" else ()))


def _task(name: str, places: Places) -> TaskConfig:
    if name in (BENCHMARK, SCENES):
        kind = "instance" if name == BENCHMARK else "video"
        return TaskConfig(name=name, source="store", data=str(places.store), kind=kind, share=0.5)
    data = {SBU: "sbu", JHMDB: "jhmdb"}[name]
    return TaskConfig(name=name, source="clips", data=data, kind="video", share=0.5)


def _sequences(input: Input) -> SequenceConfig:
    if input == "2 long":
        return SequenceConfig(frames=_LONG_FRAMES, linking="rank", max_sequences=2)
    long = input.startswith("20x30")
    return SequenceConfig(frames=30 if long else 15, rate=15.0, max_sequences=20 if long else 40)
