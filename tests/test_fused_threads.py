"""Sequences shared by several threads: the same tokens, and PyTorch's threads are left alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from skeletr.model.fused import for_inference
from skeletr.model.fused_threads import in_shares
from skeletr.skeleton import C, V
from tests.conftest import threads
from tests.tiny_models import tiny


@pytest.fixture(autouse=True)
def two_threads():
    with threads(2):
        yield


def noted(parts: list[tuple[str, int, int]]):
    """Negates, and notes who did how much with how many threads."""

    def function(x: torch.Tensor) -> torch.Tensor:
        parts.append((threading.current_thread().name, len(x), torch.get_num_threads()))
        return -x

    return function


@pytest.mark.parametrize(
    "length, least, sizes", [(7, 3, [3, 4]), (8, 1, [4, 4]), (100, 50, [50, 50])]
)
def test_each_thread_takes_a_part_and_works_alone(length, least, sizes):
    x, parts = torch.arange(length), []
    found = torch.cat(in_shares(noted(parts), x, least))
    assert torch.equal(found, -x)  # in order
    assert sorted(size for _, size, _ in parts) == sizes
    assert {count for _, _, count in parts} == {1}
    assert threading.current_thread().name not in {name for name, _, _ in parts}
    assert torch.get_num_threads() == 2
    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == 2


@pytest.mark.parametrize("count, length", [(2, 5), (2, 0), (1, 100)])
def test_too_little_or_one_thread_stays_where_it_is(count, length):
    parts = []
    with threads(count):
        in_shares(noted(parts), torch.arange(length), 3)
    assert parts == [(threading.current_thread().name, length, count)]


def test_what_fails_in_a_part_fails_here():
    def function(x: torch.Tensor) -> torch.Tensor:
        raise ValueError(f"{len(x)} cannot be")

    with pytest.raises(ValueError, match="4 cannot be"):
        in_shares(function, torch.arange(8), 1)
    assert torch.equal(torch.cat(in_shares(torch.neg, torch.arange(8), 1)), -torch.arange(8))


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.bfloat16, 0.05)])
@pytest.mark.parametrize("count, frames", [(40, 15), (33, 30)])
def test_tokens_are_those_of_one_thread(count, frames, dtype, tolerance):
    fused = for_inference(tiny(), dtype)
    x = torch.randn(count, frames, V, C)
    found = fused.tokens(x)
    assert not found.requires_grad
    with torch.inference_mode():
        assert torch.equal(fused.tokens(x), found)
    with threads(1):
        expected = fused.tokens(x)
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= tolerance * max(1, expected.abs().max())


def test_several_who_ask_share_the_threads():
    fused = for_inference(tiny())
    given = [torch.randn(count, 15, V, C) for count in (32, 50, 64, 9)] * 4
    expected = [fused.tokens(x) for x in given]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(fused.tokens, given))
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)
