from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from skeletr.batch import collate
from skeletr.checkpoint import Calibration, Checkpoint
from skeletr.coordinates import model_input
from skeletr.datasets import DatasetError, load_clips
from skeletr.datasets.noise import NoiseConfig
from skeletr.evaluation import evaluate
from skeletr.evaluation.live import evaluate_live, live_scores
from skeletr.evaluation.protocol import clip_recording
from skeletr.model import SkeleTR, SkeleTRConfig
from skeletr.model.config import BackboneConfig
from skeletr.recording import Frame, Recording
from skeletr.sequences import SequenceConfig, build_sequences

from .skeleton_files import write_all

pytestmark = pytest.mark.usefixtures("in_float32")

LABELS = ("kick", "push someone", "wave")


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    torch.manual_seed(0)
    config = SkeleTRConfig(
        backbone=BackboneConfig((12, 24), (1, 2)), instance_classes=3, scene_classes=3
    )
    return Checkpoint(SkeleTR(config).eval(), LABELS, SequenceConfig(15, 10.0), Calibration(1.0, 0))


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list:
    root = write_all(tmp_path_factory.mktemp("data"))
    return [c for c in load_clips(root, ["kard"]) if c.label in LABELS]


def test_a_clip_of_one_sequence_gets_the_scores_of_that_sequence(checkpoint, clips) -> None:
    config = checkpoint.sequences
    short = clip_recording(clips[0]).between(0.0, 0.6)  # one key frame, at the start
    window = build_sequences(short, config)
    assert len(window) == 1
    batch = collate([model_input(window, short.start, config)], config.frames)
    with torch.no_grad():
        expected = checkpoint.model(batch).instance[0, 0].softmax(dim=-1)
    assert np.allclose(live_scores(checkpoint, [short])[0], expected, atol=1e-5)


def test_nobody_in_sight_gives_equal_scores(checkpoint) -> None:
    empty = Recording.from_frames([Frame(t / 10) for t in range(30)], (640, 480))
    assert np.allclose(live_scores(checkpoint, [empty]), 1 / 3)


def test_results_per_data_set_clean_and_noisy(checkpoint, clips) -> None:
    for noise in (None, NoiseConfig()):
        (result,) = evaluate_live(checkpoint, clips, noise)
        assert result.dataset == "kard"
        assert result.clips == len(clips)
        assert result.noise == (noise is not None)
        assert 0 <= result.open_top1 <= result.open_top5 <= 1


def test_a_checkpoint_of_other_labels_is_said_so(checkpoint, tmp_path: Path) -> None:
    root = write_all(tmp_path)
    with pytest.raises(DatasetError, match="does not know"):
        evaluate(checkpoint, root, ["penn_action"])
