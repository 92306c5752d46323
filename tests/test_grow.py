"""A SkeleTR-L that starts from a SkeleTR-S."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from skeletr.model import SkeleTR, large, small
from skeletr.model.grow import grow, grows
from skeletr.skeleton import C, V

_T = 15


@pytest.fixture(scope="module")
def pair() -> tuple[SkeleTR, SkeleTR]:
    """A small network whose norms have seen something, and what it grows into."""
    torch.manual_seed(0)
    model = SkeleTR(small(instance_classes=7, scene_classes=5))
    with torch.no_grad():
        for _ in range(3):
            model.train().tokens(_sequences(40))
    return model.eval(), grow(model, _sequences(200))


def _sequences(count: int) -> torch.Tensor:
    return torch.randn(count, _T, V, C)


def test_stage_1_doubles_its_channels_and_halves_its_frames(pair) -> None:
    model, grown = pair
    x = _sequences(6)
    features = model.backbone.input_bn(x)
    for index in (0, 1, 2, 3, 5):  # the fifth block has no place in L
        features = model.backbone.blocks[index](features)
    expected = features[:, :, ::2].repeat(1, 2, 1, 1)
    torch.testing.assert_close(grown.backbone(x), expected, rtol=1e-4, atol=1e-4)


def test_stage_2_and_the_heads_say_the_same_of_tokens_that_are_twice_as_wide(pair) -> None:
    model, grown = pair
    tokens, embedding = torch.randn(2, 4, 9, 128), torch.randn(2, 4, 5)
    mask = torch.tensor([[True] * 4, [True, True, False, False]])
    expected = model.relate(tokens, embedding, mask, need_attention=True)
    found = grown.relate(tokens.repeat(1, 1, 1, 2), embedding, mask, need_attention=True)
    for name in ("instance", "scene"):
        torch.testing.assert_close(
            getattr(found, name), getattr(expected, name), rtol=1e-4, atol=1e-4
        )
    for theirs, ours in zip(expected.attention, found.attention, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_it_says_nearly_the_same_while_it_learns_too(pair) -> None:
    _, grown = pair
    x = _sequences(200)
    with torch.no_grad():
        still = grown.tokens(x)
        learning = grown.train().tokens(x)
    grown.eval()
    apart = (learning - still).norm() / still.norm()
    assert apart < 0.2, f"{apart:.2f} of the features change where batch statistics are used"


def test_the_two_halves_learn_different_things(pair) -> None:
    _, grown = pair
    grown.zero_grad()
    batch = torch.randn(1, 3, 10, 256), torch.randn(1, 3, 5), torch.ones(1, 3, dtype=torch.bool)
    grown.relate(*batch).instance.square().sum().backward()
    first, second = grown.encoder[1].ffn[0].weight.grad.chunk(2)
    assert not torch.allclose(first, second, rtol=1e-2)


def test_only_a_small_one_of_the_same_kind_grows() -> None:
    assert grows(small(instance_classes=3), large(dropout=0.1))
    assert not grows(large(), large())
    assert not grows(small(aggregation="1x1"), large())
    with pytest.raises(ValueError, match="expected a SkeleTR-S"):
        grow(SkeleTR(replace(small(), interaction="none")), _sequences(2))
