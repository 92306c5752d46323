"""The training loop: composed scenes, AdamW or SGD, averaged weights, resumable."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch.optim import Optimizer

from skeletr.checkpoint import Calibration, Checkpoint
from skeletr.datasets import Clip, load_clips
from skeletr.datasets.archives import data_root
from skeletr.datasets.noise import NoiseConfig
from skeletr.datasets.pool import TakePool
from skeletr.datasets.vocabulary import INTERACTIONS, SIT, STAND, vocabulary
from skeletr.devices import has_bf16
from skeletr.evaluation.report import Part, prepare, score
from skeletr.model import SkeleTR
from skeletr.training.calibrate import calibrate, judge
from skeletr.training.config import TrainConfig
from skeletr.training.data import LabelledBatch, SceneBatches, loader
from skeletr.training.ema import WeightAverage
from skeletr.training.log import Pace, RunLog
from skeletr.training.loss import Losses, contrast, losses
from skeletr.training.memory import keep_freed_memory
from skeletr.training.state import load_state, save_state


class TrainingError(RuntimeError):
    """Training cannot go on: says where and why."""


@dataclass
class Progress:
    """step: optimiser steps done. best: highest validation accuracy so far, and its step."""

    step: int = 0
    best: float = -1.0
    best_step: int = 0


def train(config: TrainConfig) -> Checkpoint:
    """Train, or continue the run in `config.run`; writes the best weights to `config.output`.

    Raises:
        DatasetError: data are missing or broken. StateError: the saved state does not fit.
        TrainingError: the loss is not finite.
    """
    keep_freed_memory()
    torch.set_num_threads(config.threads or os.cpu_count() or 1)
    trainer = Trainer(config, load_clips(data_root(config.data), config.datasets))
    trainer.run()
    return Checkpoint.from_pretrained(config.output)


class Trainer:
    """One run; `run` goes on from the saved state, if there is one."""

    def __init__(self, config: TrainConfig, clips: list[Clip]) -> None:
        self.config = config
        self.labels = vocabulary(config.datasets)
        self.clips = {s: [c for c in clips if c.split == s] for s in ("train", "val")}
        self.batches = SceneBatches(
            TakePool(self.clips["train"]), self.labels, config, config.steps
        )
        torch.manual_seed(config.seed)
        self.model = SkeleTR(config.model(len(self.labels)))
        self.average = WeightAverage(self.model, config.ema)
        self._bf16 = config.bf16 and has_bf16(torch.device("cpu"))
        if self._bf16:  # convolutions in bf16 are a third faster so; in fp32 a sixth slower
            self.model.to(memory_format=torch.channels_last)
        if config.compile:
            self.model.backbone.compile(dynamic=True)
        self.optimiser = make_optimiser(self.model, config)
        self._negatives = contrast(self.labels, config.stranger)
        self.progress = Progress()
        self.folder = Path(config.run)
        self.log = RunLog(self.folder / "train.log")
        self._parts: list[Part] | None = None
        self._held_out: list[LabelledBatch] | None = None

    @property
    def _modules(self) -> dict[str, torch.nn.Module]:
        return {"model": self.model, "average": self.average.model}

    def run(self) -> None:
        """All steps that are left, with validation and saving in between."""
        state = self.folder / "last.safetensors"
        if state.exists():
            self.progress = Progress(**load_state(state, self._modules, self.optimiser))
            self.log(f"continue after step {self.progress.step}")
        self._describe()
        config, pace = self.config, Pace(self.progress.step, self.config.steps)
        for batch in loader(self.batches, self.progress.step, config.workers):
            result = self.step(batch)
            done = self.progress.step
            if done % config.log_every == 0 or done == config.steps:
                self._report(result, pace(done))
            if done % config.validate_every == 0 or done == config.steps:
                self.validate()
            if done % config.save_every == 0 or done == config.steps:
                save_state(state, self._modules, self.optimiser, asdict(self.progress))

    def step(self, batch: LabelledBatch) -> Losses:
        """One optimiser step. Raises `TrainingError` where the loss is not finite."""
        config, number = self.config, self.progress.step
        torch.manual_seed(config.seed * 1_000_003 + number)  # dropout, the same when resumed
        rate = learning_rate(number, config)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.model.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            output = self.model(batch.scenes)
        result = losses(output, batch, config.scene_weight, config.label_smoothing, self._negatives)
        if not math.isfinite(result.total.item()):
            raise TrainingError(
                f"loss is {result.total.item()} at step {number} (instance "
                f"{result.instance.item()}, scene {result.scene.item()}), "
                f"learning rate {rate:.2g}; the state before it is in {self.folder}"
            )
        self.optimiser.zero_grad(set_to_none=True)
        result.total.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.clip_norm)
        self.optimiser.step()
        self.average.update(self.model, number)
        self.progress.step += 1
        return result

    def validate(self) -> float:
        """Accuracy of the averaged weights on held-out clips; the best are written out.

        The mean over data sets, and over clean and noisy joints, of top-1 per clip.
        """
        model, config = self.average.model, self.config
        results = [
            score(model, part, self.labels, config.sequences) for part in self._validation_parts()
        ]
        accuracy = sum(r.open_top1 for r in results) / max(len(results), 1)
        parts = ", ".join(
            f"{r.dataset}{' noisy' if r.noise else ''} {100 * r.open_top1:.1f}" for r in results
        )
        self.log(f"step {self.progress.step}: validation {100 * accuracy:.2f} ({parts})")
        if accuracy >= self.progress.best:
            self.progress.best, self.progress.best_step = accuracy, self.progress.step
            self._write()
        return accuracy

    def _write(self) -> None:
        """The averaged weights with their calibration, as the program uses them."""
        judged = judge(self.average.model, self._validation_batches())
        calibration = calibrate(judged, [self.labels.index(label) for label in (STAND, SIT)])
        self.log(
            f"step {self.progress.step}: best so far; validation scenes "
            f"{100 * judged.accuracy:.2f}, loss {judged.loss():.3f}, "
            f"temperature {calibration.temperature}, unknown below {calibration.threshold}"
        )
        self._checkpoint(calibration).save_pretrained(self.config.output)

    def _checkpoint(self, calibration: Calibration) -> Checkpoint:
        interactions = tuple(label for label in self.labels if label in INTERACTIONS)
        return Checkpoint(
            self.average.model, self.labels, self.config.sequences, calibration, interactions
        )

    def _validation_parts(self) -> list[Part]:
        """Validation clips, clean and with pose noise, prepared once."""
        if self._parts is None:
            self._parts = [
                part
                for noise in (None, NoiseConfig())
                for part in prepare(self.clips["val"], self.labels, self.config.sequences, noise)
            ]
        return self._parts

    def _validation_batches(self) -> list[LabelledBatch]:
        """Scenes of the validation clips, composed once."""
        if self._held_out is None:
            pool = TakePool(self.clips["val"])
            count = max(1, self.config.validation_scenes * 8 // self.config.batch)
            batches = SceneBatches(pool, self.labels, self.config, count, stream=1)
            self._held_out = [batches[i] for i in range(count)]
        return self._held_out

    def _describe(self) -> None:
        counts = {k: len(v) for k, v in self.clips.items()}
        size = sum(p.numel() for p in self.model.parameters())
        self.log(f"clips {counts}, {len(self.labels)} labels, {size:,} parameters")
        self.log("config " + json.dumps(asdict(self.config)))

    def _report(self, result: Losses, pace: str) -> None:
        config, done = self.config, self.progress.step
        self.log(
            f"step {done}/{config.steps} loss {result.total.item():.3f} "
            f"(sequences {result.instance.item():.3f}, scenes {result.scene.item():.3f}) "
            f"correct {100 * result.correct.item():.0f}% "
            f"rate {learning_rate(done - 1, config):.2e} {pace}"
        )


def make_optimiser(model: torch.nn.Module, config: TrainConfig) -> Optimizer:
    """AdamW or SGD; biases, norms and adjacency matrices are not decayed."""
    decayed = [p for n, p in model.named_parameters() if p.ndim > 1 and "adjacency" not in n]
    free = [p for n, p in model.named_parameters() if p.ndim <= 1 or "adjacency" in n]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
    if config.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=config.rate, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.98))


def learning_rate(step: int, config: TrainConfig) -> float:
    """Linear warm-up, then cosine to 1% or a tenth at each milestone."""
    if step < config.warmup:
        return config.rate * (step + 1) / config.warmup
    share = (step - config.warmup) / max(1, config.steps - config.warmup)
    shapes: dict[str, Callable[[], float]] = {
        "cosine": lambda: 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)),
        "multistep": lambda: 0.1 ** sum(share >= m for m in config.milestones),
    }
    return config.rate * shapes[config.schedule]()
