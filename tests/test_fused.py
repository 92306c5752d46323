"""The form for inference gives the same numbers as the plain, readable one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

from skeletr.batch import SequenceBatch
from skeletr.devices import PRECISION_VARIABLE, dtype_of, has_bf16
from skeletr.model import SkeleTR, SkeleTRConfig, SkeleTROutput, ctr, large, small
from skeletr.model.config import BackboneConfig
from skeletr.model.fused import FusedSkeleTR, for_inference
from skeletr.skeleton import C, V
from tests.conftest import threads
from tests.tiny_models import STRIDES, TINY, as_trained, scenes, tiny

TOLERANCE = 1e-5


@pytest.fixture(autouse=True)
def one_thread_without_gradients():
    with threads(1), torch.no_grad():
        yield


def trained(config: SkeleTRConfig, seed: int = 0) -> SkeleTR:
    """Random weights and statistics; norms that turn signs round, graphs without a zero."""
    torch.manual_seed(seed)
    model = as_trained(SkeleTR(replace(config, instance_classes=5, scene_classes=4)))
    for name, parameter in model.named_parameters():
        if name.endswith("adjacency"):
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.mul_(torch.randn_like(module.weight).sign())
    return model


def batch(n: int, m: int, frames: int) -> SequenceBatch:
    x = torch.randn(n, m, frames, V, C)
    x[..., 2] = x[..., 2].abs()
    return SequenceBatch(x, torch.randn(n, m, 5), torch.ones(n, m, dtype=torch.bool))


def same(found: torch.Tensor | None, expected: torch.Tensor | None) -> None:
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= TOLERANCE * max(1, expected.abs().max())


def agree(found: SkeleTROutput, expected: SkeleTROutput) -> None:
    same(found.instance, expected.instance)
    same(found.scene, expected.scene)
    same(found.features, expected.features)


@pytest.mark.parametrize("frames", [15, 30])
@pytest.mark.parametrize("stream", ["joint", "bone"])
@pytest.mark.parametrize("size", [small, large])
def test_the_published_sizes_agree(size, stream, frames):
    plain = trained(size(stream=stream))
    fused = for_inference(plain)
    assert isinstance(fused, FusedSkeleTR)
    given = batch(1, 3, frames)
    same(fused.tokens(given.x[0]), plain.tokens(given.x[0]))
    agree(fused(given), plain(given))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n, m, frames", [(1, 1, 2), (1, 40, 7), (2, 5, 12), (3, 2, 13)])
def test_any_number_of_scenes_sequences_and_frames_agrees(seed, n, m, frames):
    strides = (STRIDES, (2, 1, 3), (1, 3, 1), (1, 2, 2))[seed]
    plain = trained(SkeleTRConfig(replace(TINY, strides=strides)), seed)
    given = batch(n, m, frames)
    agree(for_inference(plain)(given), plain(given))


@pytest.mark.parametrize("aggregation", ["1x1", "TxP", "1xV+Tx1", "1x1+Tx1+1xP"])
@pytest.mark.parametrize("interaction", ["transformer", "none", "concat global", "non-local"])
def test_whatever_the_tokens_and_their_relation_it_agrees(aggregation, interaction):
    plain = trained(SkeleTRConfig(TINY, aggregation=aggregation, interaction=interaction))
    given = scenes()
    agree(for_inference(plain)(given), plain(given))


def test_padding_and_empty_scenes_agree():
    plain = tiny()
    given = scenes(3, 4)
    mask = torch.tensor([[1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]], dtype=torch.bool)
    given = replace(given, mask=mask)
    found = for_inference(plain)(given)
    agree(found, plain(given))
    assert not found.instance[~mask].any()
    nobody = replace(given, mask=torch.zeros_like(mask))
    agree(for_inference(plain)(nobody), plain(nobody))
    assert for_inference(plain).tokens(given.x[0][:0]).shape == plain.tokens(given.x[0][:0]).shape


def test_joints_that_are_not_numbers_are_taken_as_before():
    plain = tiny()
    given = scenes()
    given.x[0, 0, 3, 5] = float("nan")
    given.embedding[0, 1] = float("inf")
    agree(for_inference(plain)(given), plain(given))


def test_attention_on_request_is_that_of_the_plain_form():
    plain = tiny()
    given = scenes()
    expected = plain(given, need_attention=True)
    found = for_inference(plain)(given, need_attention=True)
    agree(found, expected)
    for ours, theirs in zip(found.attention, expected.attention, strict=True):
        same(ours, theirs)
    assert for_inference(plain)(given).attention is None


@pytest.mark.parametrize("asked", [[0], [2, 1], [0, 1, 2, 3], []])
def test_some_instances_are_those_of_the_whole(asked):
    plain = tiny()
    given = scenes(1, 4)
    asked = torch.tensor(asked, dtype=torch.int64)
    tokens = plain.tokens(given.x[0])
    whole = plain.relate(tokens[None], given.embedding, given.mask).instance[0]
    found = for_inference(plain).instances(tokens, given.embedding[0], asked)
    assert found.shape == (len(asked), whole.shape[1])
    assert torch.allclose(found, whole[asked], atol=TOLERANCE)


def test_instances_need_a_transformer_that_judges_them():
    given = scenes(1, 4)
    for model in (tiny(interaction="none"), SkeleTR(SkeleTRConfig(TINY)).eval()):
        tokens = model.tokens(given.x[0])
        with pytest.raises(ValueError, match="lacks"):
            for_inference(model).instances(tokens, given.embedding[0], torch.tensor([0]))


def test_nothing_given_is_overwritten_and_answers_stay():
    fused = for_inference(tiny())
    x = scenes(1, 4).x[0]
    before = x.clone()
    first = fused.tokens(x)
    kept = first.clone()
    fused.tokens(torch.randn(9, 20, V, C))  # more memory, and other numbers in it
    assert torch.equal(x, before)
    assert torch.equal(first, kept)
    with torch.inference_mode():
        assert torch.equal(fused.tokens(x), kept)
    assert torch.equal(fused.tokens(x), kept)


def test_several_threads_at_once_do_not_disturb_one_another():
    fused = for_inference(trained(SkeleTRConfig(TINY)))
    given = [torch.randn(count, 12, V, C) for count in (1, 5, 3, 8)] * 8
    expected = [fused.tokens(x) for x in given]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(fused.tokens, given))
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_the_plain_form_stays_as_it_is():
    plain = tiny()
    before = {name: tensor.clone() for name, tensor in plain.state_dict().items()}
    given = scenes()
    expected = plain(given)
    for_inference(plain)(given)
    assert all(torch.equal(tensor, before[name]) for name, tensor in plain.state_dict().items())
    assert torch.equal(plain(given).instance, expected.instance)
    assert all(p.requires_grad for p in plain.parameters())


def test_where_no_faster_form_is_known_the_network_itself_is_asked():
    training = tiny().train()
    assert for_inference(training) is training
    for kind in ("ctrgcn", "stgcn"):
        other = tiny(BackboneConfig(TINY.channels, TINY.strides, kind))
        assert for_inference(other) is other
    assert for_inference(published := SkeleTR(ctr()).eval()) is published
    engine = object()  # another engine, such as ONNX Runtime
    assert for_inference(engine) is engine
    fused = for_inference(tiny())
    assert for_inference(fused) is fused


@pytest.mark.parametrize("frames", [15, 30])
@pytest.mark.parametrize("size", [small, large])
def test_bfloat16_gives_nearly_the_same_in_float32(size, frames):
    plain = trained(size())
    fused = for_inference(plain, torch.bfloat16)
    given = batch(1, 9, frames)
    expected, found = plain(given), fused(given)
    assert found.instance.dtype == found.features.dtype == torch.float32
    for a, b in ((found.instance, expected.instance), (found.scene, expected.scene)):
        assert (a - b).abs().max() <= 0.05 * expected.features.abs().max()
        assert (a.softmax(dim=-1) - b.softmax(dim=-1)).abs().max() < 0.03
    tokens = plain.tokens(given.x[0])
    apart = (fused.tokens(given.x[0]) - tokens).abs()
    assert apart.mean() < 0.02 * tokens.abs().mean()
    assert apart.max() > 0  # it is another number format


def test_bfloat16_keeps_nothing_of_another_call_and_gives_no_nan():
    fused = for_inference(tiny(), torch.bfloat16)
    x = scenes(1, 20).x[0]
    first = fused.tokens(x)
    fused.tokens(torch.full((29, 20, V, C), 1e4))
    assert torch.equal(fused.tokens(x), first)
    assert torch.isfinite(fused.tokens(torch.full((20, 12, V, C), -1e4))).all()


def test_few_frames_stay_in_float32_which_is_faster_for_them():
    plain = tiny()
    fused, exact = for_inference(plain, torch.bfloat16), for_inference(plain)
    few, many = torch.randn(5, 15, V, C), torch.randn(9, 15, V, C)
    assert torch.equal(fused.tokens(few), exact.tokens(few))
    assert not torch.equal(fused.tokens(many), exact.tokens(many))
    assert fused.tokens(few[:0]).shape == exact.tokens(few[:0]).shape


def test_the_precision_is_what_is_asked_for_then_that_of_the_environment(monkeypatch):
    monkeypatch.setenv(PRECISION_VARIABLE, "bf16")
    assert dtype_of("fp32") == torch.float32
    assert dtype_of("auto") == torch.bfloat16
    monkeypatch.delenv(PRECISION_VARIABLE)
    native = has_bf16(torch.device("cpu"))
    assert dtype_of("auto") == (torch.bfloat16 if native else torch.float32)
    monkeypatch.setenv(PRECISION_VARIABLE, "half")
    with pytest.raises(ValueError, match="'half', expected one of auto, fp32, bf16"):
        dtype_of("auto")
