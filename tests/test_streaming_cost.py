"""Live, what was computed once is not computed again: counted, not timed."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from skeletr.checkpoint import DEFAULT_CHECKPOINT, Calibration, Checkpoint
from skeletr.model import SkeleTR, small
from skeletr.model.fused import FusedSkeleTR, for_inference
from skeletr.recognizer import Recognizer
from skeletr.sequences import SequenceConfig
from skeletr.skeleton import C, V
from tests.conftest import threads
from tests.synthetic import scene
from tests.tiny_models import as_trained

Shape = tuple[int, ...]


@pytest.fixture(autouse=True)
def one_thread():
    """Only what the thread that counts does is counted."""
    with threads(1):
        yield


LABELS = ("stand", "wave", "walk")
SEQUENCES = SequenceConfig(frames=15, rate=10, max_sequences=40)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    torch.manual_seed(0)
    model = as_trained(SkeleTR(small(instance_classes=3, scene_classes=3)))
    return Checkpoint(model, LABELS, SEQUENCES, Calibration(threshold=0))


def macs(run: Callable[[], object]) -> int:
    """Products in the matrix multiplications and attentions of one call."""
    aten = torch.ops.aten
    unknown_to_torch = {
        aten.addmm_: _in_place,
        aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    }
    counter = FlopCounterMode(display=False, custom_mapping=unknown_to_torch)
    with torch.inference_mode(), counter:
        run()
    return counter.get_total_flops() // 2


def _in_place(total: Shape, left: Shape, right: Shape, **_: object) -> int:
    return 2 * left[0] * left[1] * right[1]


def _attention(query: Shape, key: Shape, value: Shape, *_: object, **__: object) -> int:
    return 2 * math.prod(query) * key[2] + 2 * math.prod(query[:3]) * math.prod(value[2:])


def anew(model: SkeleTR, sequences: int) -> int:
    """What a key frame costs where all sequences of the window go through stage 1."""
    x, embedding = torch.zeros(sequences, SEQUENCES.frames, V, C), torch.zeros(1, sequences, 5)
    mask = torch.ones(1, sequences, dtype=torch.bool)
    return macs(lambda: model.relate(model.tokens(x)[None], embedding, mask, need_attention=True))


def test_what_is_counted_are_the_products_of_the_network(checkpoint):
    """The plain form's, but for what mixing the joints first saves: the count misses nothing."""
    plain, fused = (anew(m, 8) for m in (checkpoint.model, for_inference(checkpoint.model)))
    assert 0.8 * plain < fused < plain


def last_key_frame(checkpoint: Checkpoint, people: int) -> tuple[int, int]:
    """What the last key frame of a running recogniser cost, and the sequences in its window."""
    recognizer = Recognizer(checkpoint)
    recording = scene([60.0 + 150 * i for i in range(people)], np.arange(160) / 20)
    cost = []
    for frame in recording.frames():
        answers = []

        def step(frame=frame, answers=answers) -> None:
            answers.append(recognizer.step(frame.people, frame.time, recording.image_size))

        spent = macs(step)
        if answers[0].fresh:
            cost.append((spent, len(answers[0].attention.times)))
        else:
            assert not spent  # between key frames the network rests
    return cost[-1]


@pytest.mark.parametrize("people", [1, 4])
def test_a_key_frame_costs_less_than_half_of_an_uncached_one(checkpoint, people):
    spent, window = last_key_frame(checkpoint, people)
    assert window == 8 * people
    assert anew(for_inference(checkpoint.model), window) > 2 * spent


@pytest.mark.parametrize("people", [4, 10, 16])
def test_stage_1_is_for_new_sequences_only_however_full_the_window_is(checkpoint, people):
    """With 10 people a quarter of a full window is new, with 16 two fifths, and stage 2 is for all
    of it: a key frame without the cache is 1.9 and 1.6 times as dear, which is all that can be."""
    spent, window = last_key_frame(checkpoint, people)
    assert window == min(8 * people, SEQUENCES.max_sequences)
    model = for_inference(checkpoint.model)
    first = macs(lambda: model.tokens(torch.zeros(window, SEQUENCES.frames, V, C)))
    second = anew(model, window) - first
    assert spent == pytest.approx(second + first * people / window, rel=0.01)


@pytest.mark.parametrize("people", [1, 4, 10])
def test_the_shipped_checkpoint_runs_stage_1_for_new_sequences_only(people):
    """Its window is of 2 s, so a third of it is new, and no more than that third can be saved:
    half of the cost, as above, is what windows of 5 s save."""
    checkpoint = Checkpoint.from_pretrained(DEFAULT_CHECKPOINT, torch.device("cpu"))
    spent, window = last_key_frame(checkpoint, people)
    assert window == 3 * people
    model = for_inference(checkpoint.model)
    frames = checkpoint.sequences.frames
    first = macs(lambda: model.tokens(torch.zeros(window, frames, V, C)))
    second = anew(model, window) - first
    assert spent == pytest.approx(second + first / 3, rel=0.01)
    assert first + second > 1.5 * spent


def test_asking_for_new_sequences_only_costs_less_again(checkpoint):
    model = for_inference(checkpoint.model)
    assert isinstance(model, FusedSkeleTR)
    with torch.no_grad():
        tokens = model.tokens(torch.randn(8, SEQUENCES.frames, V, C))
    embedding, mask = torch.zeros(8, 5), torch.ones(1, 8, dtype=torch.bool)
    all_of_them = macs(lambda: model.relate(tokens[None], embedding[None], mask, True))
    new = macs(lambda: model.instances(tokens, embedding, torch.tensor([7])))
    assert new < 0.75 * all_of_them
