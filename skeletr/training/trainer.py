"""The training loop: one trunk, any number of tasks, averaged weights; resumable at any step."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path

import torch
from accelerate import Accelerator

from skeletr.devices import has_bf16
from skeletr.training.config import ConfigError, TrainConfig
from skeletr.training.data import LabelledBatch, StepBatches, loader
from skeletr.training.ema import WeightAverage
from skeletr.training.folders import TrainingError, check_folder, writing
from skeletr.training.keeper import Keeper, Progress, task_folder
from skeletr.training.log import Metrics, Pace, RunLog
from skeletr.training.loss import Losses, Rules, contrast, counts, losses
from skeletr.training.memory import keep_freed_memory
from skeletr.training.multitask import MultiTask
from skeletr.training.optim import learning_rate, make_optimiser
from skeletr.training.processes import check_agreement, make_accelerator, share_cores
from skeletr.training.start import start_from
from skeletr.training.state import StateError, load_state, save_state
from skeletr.training.tasks import Task, load_tasks

_NEEDED = 200_000_000  # bytes: state, the one that replaces it, checkpoints and logs


def train(config: TrainConfig) -> dict[str, Path]:
    """Train, or continue the run in `config.run`; returns the folder of each task's best weights.

    Raises:
        ConfigError: parts that do not fit together. DatasetError: data are missing or broken.
        StateError: the saved state does not fit. TrainingError: folders cannot be written, or the
        loss is not finite.
    """
    keep_freed_memory()
    accelerator = make_accelerator(config)
    share_cores(config)
    for folder in (config.output, config.run):
        check_folder(Path(folder), _NEEDED)
    with accelerator.main_process_first():  # which unpacks the data, if they are not yet
        tasks = load_tasks(config)
    trainer = Trainer(config, tasks, accelerator)
    trainer.run()
    return {task.config.name: task_folder(task, config) for task in tasks}


class Trainer:
    """One run; `run` goes on from the saved state, if there is one."""

    def __init__(
        self, config: TrainConfig, tasks: Sequence[Task], accelerator: Accelerator | None = None
    ) -> None:
        self.tasks = list(tasks)
        self.accelerator = accelerator or make_accelerator(config)
        self.config = config = self._counted(config)
        self.folder = Path(config.run)
        self.log = RunLog(self.folder / "train.log", self.accelerator.is_main_process)
        self.place = (self.accelerator.process_index, self.accelerator.num_processes)
        sources = [task.source for task in self.tasks]
        self.batches = StepBatches(sources, config, config.steps, place=self.place)
        torch.manual_seed(config.seed)
        self.net = MultiTask(config.model(), [(len(t.labels), t.config.heads) for t in tasks])
        self._notes = start_from(self.net, self.tasks, config, self._sample)
        self.average = WeightAverage(self.net, config.ema)
        device = self.accelerator.device
        self.average.model.to(device)
        self._bf16 = config.bf16 and has_bf16(device)
        if self._bf16:  # convolutions in bf16 are a third faster so; in fp32 a sixth slower
            self.net.to(memory_format=torch.channels_last)
        if config.compile:
            self.net.trunk.backbone.compile(dynamic=True)
        self.model = self.accelerator.prepare_model(self.net)
        self.optimiser = make_optimiser(self.net, config)
        self._rules = [self._rule(task) for task in self.tasks]
        self._keeper = Keeper(self.tasks, config, self.average, self.place, self.log)
        self.progress = Progress(labels=self._labels())
        self._metrics: Metrics | None = None

    def _counted(self, config: TrainConfig) -> TrainConfig:
        """Steps from epochs; raises `ConfigError` where processes would have nothing to do."""
        scenes, processes = config.scenes_in_step, self.accelerator.num_processes
        if scenes and scenes < processes:
            raise ConfigError(f"scenes_per_batch is {scenes}, less than the {processes} processes")
        if not config.epochs:
            return config
        samples = sum(task.source.size for task in self.tasks)
        return replace(config, steps=max(1, math.ceil(config.epochs * samples / scenes)))

    def _sample(self) -> torch.Tensor:
        """(R, T, V, C), real sequences of one step, the same for all processes."""
        step = StepBatches([task.source for task in self.tasks], self.config, 1)[0]
        return torch.cat([part.scenes.x[part.scenes.mask] for part in step])

    def _labels(self) -> dict[str, list[str]]:
        return {task.config.name: list(task.labels) for task in self.tasks}

    def _rule(self, task: Task) -> Rules:
        config, negatives = self.config, None
        if task.config.source == "composed":
            negatives = contrast(task.labels, config.stranger).to(self.accelerator.device)
        return Rules(task.config, config.label_smoothing, config.scene_weight, negatives)

    @property
    def _modules(self) -> dict[str, torch.nn.Module]:
        return {"model": self.net, "average": self.average.model}

    def run(self) -> None:
        """All steps that are left, with validation and saving in between."""
        self._resume()
        self._describe()
        config, pace = self.config, Pace(self.progress.step, self.config.steps)
        first = self.progress.step
        self._metrics = Metrics(self.folder, first, self.accelerator.is_main_process)
        for batches in loader(self.batches, first, config.workers):
            result = self.step(batches)
            done = self.progress.step
            shown = done % config.log_every == 0 or done == config.steps
            with writing("the log", self.folder, done):
                self._record(result, shown, pace)
            if done % config.validate_every == 0 or done == config.steps:
                self.validate()
            if done % config.save_every == 0 or done == config.steps:
                self.save()
        self._metrics.close()
        self._keeper.write_last(self.progress.step)

    def _resume(self) -> None:
        """Go on from the saved state, if there is one, on all processes."""
        state = self.folder / "last.safetensors"
        if state.exists():
            found = Progress(**load_state(state, self._modules, self.optimiser))
            if found.labels != self._labels():
                raise StateError(
                    f"{state} was trained for other labels or tasks than the data have now: "
                    f"{ {k: len(v) for k, v in found.labels.items()} } labels then; choose "
                    "another run folder"
                )
            self.progress = found
            self.log(f"continue after step {self.progress.step}")
        check_agreement(self.progress.step, self.folder)

    def step(self, batches: Sequence[LabelledBatch]) -> Losses:
        """One optimiser step. Raises `TrainingError` where the loss is not finite."""
        config, number, accelerator = self.config, self.progress.step, self.accelerator
        rank, processes = self.place
        # Dropout, the same when resumed, and another one on every process.
        torch.manual_seed(config.seed * 1_000_003 + number + rank * 500_009)
        rate = learning_rate(number, config)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        count = counts(batches, len(self.tasks))
        if processes > 1:
            count = accelerator.reduce(count.to(accelerator.device)).cpu()
        self.model.train()
        self.optimiser.zero_grad(set_to_none=True)
        found = []
        for index, batch in enumerate(batches):
            last = index == len(batches) - 1
            with nullcontext() if last else accelerator.no_sync(self.model):
                part = self._forward(batch.to(accelerator.device), count)
                # Processes average their gradients; the loss is a sum over all of them.
                accelerator.backward(part.total * processes)
            found.append(Losses(part.total.detach(), part.parts))
        result = self._sum(found)
        if not math.isfinite(result.total.item()):
            raise TrainingError(
                f"loss is {result.total.item()} at step {number} ({self._text(result)}), "
                f"learning rate {rate:.2g}; the state before it is in {self.folder}"
            )
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), config.clip_norm)
        self.optimiser.step()
        self.average.update(self.net, number)
        self.progress.step += 1
        return result

    def _forward(self, batch: LabelledBatch, count: torch.Tensor) -> Losses:
        kind = self.accelerator.device.type
        with torch.autocast(kind, torch.bfloat16, enabled=self._bf16):
            outputs = self.model(batch.scenes, batch.task)
        return losses(outputs, batch, self._rules, count)

    def _sum(self, found: Sequence[Losses]) -> Losses:
        """Over the micro-batches of all processes."""
        total = sum(found[1:], start=found[0])
        if self.place[1] == 1:
            return total
        values = torch.cat([total.total[None], total.parts.flatten()])
        values = self.accelerator.reduce(values)
        return Losses(values[0], values[1:].view_as(total.parts))

    def validate(self) -> float:
        """The mean over tasks of the averaged weights' score; each task's best are written."""
        verdicts = self._keeper.validate(self.progress)
        if self._metrics is not None:
            curves = {f"{name}/validation": verdict.score for name, verdict in verdicts.items()}
            self._metrics.curves(self.progress.step, curves)
        self.accelerator.wait_for_everyone()
        return sum(verdict.score for verdict in verdicts.values()) / len(verdicts)

    def save(self) -> None:
        """The state from which the run can go on; the one before it is kept until it is whole."""
        if self.accelerator.is_main_process:
            with writing("the state", self.folder, self.progress.step):
                save_state(
                    self.folder / "last.safetensors",
                    self._modules,
                    self.optimiser,
                    asdict(self.progress),
                )
        self.accelerator.wait_for_everyone()

    def _describe(self) -> None:
        size = sum(p.numel() for p in self.net.parameters())
        for task in self.tasks:
            self.log(f"{task.config.name}: {task.about}")
        for note in self._notes:
            self.log(f"init: {note}")
        device = f"{self.place[1]} x {self.accelerator.device.type}"
        self.log(f"{size:,} parameters, {device}, {'bf16' if self._bf16 else 'fp32'}")
        self.log("config " + json.dumps(asdict(self.config)))

    def _record(self, result: Losses, shown: bool, pace: Pace) -> None:
        done = self.progress.step
        rate = learning_rate(done - 1, self.config)
        values = {"loss": result.total.item(), "rate": rate, **self._values(result)}
        if self._metrics is not None:
            self._metrics(done, values, curves=shown)
        if shown:
            self.log(
                f"step {done}/{self.config.steps} loss {values['loss']:.3f} "
                f"({self._text(result)}) rate {rate:.2e} {pace(done)}"
            )

    def _values(self, result: Losses) -> Mapping[str, float]:
        """Per task: losses of sequences and scenes where it has such a head, share of right."""
        names = ("sequences", "scenes", "correct")
        return {
            f"{task.config.name}/{name}": value
            for task, row in zip(self.tasks, result.parts.tolist(), strict=True)
            for name, value in zip(names, row, strict=True)
            if name == "correct" or name in task.config.losses
        }

    def _text(self, result: Losses) -> str:
        values = self._values(result).items()
        single = len(self.tasks) == 1
        return ", ".join(f"{k.split('/')[1] if single else k} {v:.3f}" for k, v in values)
