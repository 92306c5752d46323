"""The network: the paper's figures, and the properties that make it trustworthy."""

from __future__ import annotations

import json

import pytest
import torch

from skeletr.batch import SequenceBatch
from skeletr.cli import main
from skeletr.model import SkeleTR, SkeleTRConfig, ctr, large, small
from skeletr.model.cost import measure
from skeletr.model.graph import bones, distance_partition, spatial_partition
from skeletr.model.stgcnpp import SpatialGraphConv
from skeletr.skeleton import C, V

from .tiny_models import T, scenes, tiny

# Stage 2 of SkeleTR-S at 20x30, in G (paper, Table 5).
TABLE_5 = {
    "1x1": 0.013,
    "TxP": 5.211,
    "Tx1": 0.356,
    "1xP": 0.080,
    "1xV": 0.429,
    "1x1+Tx1": 0.392,
    "1x1+1xP": 0.101,
    "Tx1+1xP": 0.550,
    "1x1+Tx1+1xP": 0.594,
}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize(
    ("name", "sequences", "frames", "figure", "expected"),
    [
        ("S", 20, 30, "parameters", 848_288),
        ("S", 20, 30, "macs_training_G", 2.430),
        ("S", 40, 15, "macs_training_G", 2.789),
        ("S", 40, 15, "macs_G", 2.74),
        ("L", 20, 30, "parameters", 4_005_180),
        ("L", 20, 30, "macs_training_G", 6.653),
        ("L", 40, 15, "macs_training_G", 7.394),
        ("L", 40, 15, "macs_G", 7.30),
        ("ST-GCN++", 2, 300, "parameters", 1_377_596),
        ("ST-GCN++", 2, 300, "macs_G", 5.44),
        ("CTR-GCN", 2, 300, "parameters", 1_421_000),
        ("CTR-GCN", 2, 300, "parameters_M", 1.36),
        ("CTR-GCN", 2, 300, "macs_G", 5.3647),
    ],
)
def test_cost_is_that_of_the_paper(name, sequences, frames, figure, expected):
    assert measure(name, sequences, frames).as_dict()[figure] == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize(("aggregation", "expected"), TABLE_5.items())
def test_stage_2_costs_what_the_paper_says(aggregation, expected):
    found = measure("S", 20, 30, aggregation=aggregation)
    assert found.as_dict()["stage2_G"] == pytest.approx(expected, rel=0.006)
    assert 0 < found.macs - found.stage1 - found.stage2 < 1e-4 * found.macs  # the head


def test_summary_command_prints_the_stages(capsys):
    assert main(["summary", "S", "--aggregation", "1x1+Tx1"]) == 0
    said = capsys.readouterr().out
    assert "aggregation 1x1+Tx1" in said
    assert "stage 2                0.392 G" in said
    assert main(["summary", "S", "--aggregation", "1x2"]) == 2
    assert main(["summary", "CTR-GCN", "--aggregation", "1x1"]) == 2
    assert main(["summary", "C", "--interaction", "none"]) == 0


def test_summary_command_prints_json(capsys):
    assert main(["summary", "S", "--sequences", "20", "--frames", "30", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["parameters"] == 848_288
    assert main(["summary", "S", "--sequences", "0"]) == 2


def test_partition_is_column_normalised():
    partition = spatial_partition()
    assert partition.shape == (3, V, V)
    columns = partition.sum(dim=1)
    assert torch.all((columns - 1).abs().lt(1e-6) | columns.eq(0))
    assert torch.equal(partition[0], torch.eye(V))
    whole = distance_partition().sum(dim=(0, 1))
    assert torch.allclose(whole, torch.ones(V))
    assert torch.equal(distance_partition() > 0, partition > 0)


def test_bones_are_child_minus_parent_and_zero_where_either_is_missing():
    x = torch.rand(3, V, C) + 0.1
    x[1, 7] = 0
    bone = bones(x)
    assert torch.allclose(bone[0, 9, :2], x[0, 9, :2] - x[0, 7, :2])
    assert bone[0, 9, 2] == pytest.approx(float((x[0, 9, 2] + x[0, 7, 2]) / 2))
    assert torch.count_nonzero(bone[1, [7, 9]]) == 0
    assert torch.equal(bone[0, 0, :2], torch.zeros(2))


@pytest.mark.parametrize("stream", ["joint", "bone"])
def test_permuting_people_permutes_the_outputs(stream):
    model, batch = tiny(stream=stream), scenes()
    order = torch.tensor([2, 0, 3, 1])
    mixed = SequenceBatch(batch.x[:, order], batch.embedding[:, order], batch.mask[:, order])
    with torch.no_grad():
        plain, permuted = model(batch), model(mixed)
    assert torch.allclose(plain.instance[:, order], permuted.instance, atol=1e-5)
    assert torch.allclose(plain.scene, permuted.scene, atol=1e-5)


@pytest.mark.parametrize("extra", [1, 7])
def test_padding_changes_nothing(extra):
    model, batch = tiny(), scenes()
    x = torch.cat([batch.x, torch.full((2, extra, T, V, C), 9.0)], dim=1)
    embedding = torch.cat([batch.embedding, torch.full((2, extra, 5), -9.0)], dim=1)
    mask = torch.cat([batch.mask, torch.zeros(2, extra, dtype=torch.bool)], dim=1)
    with torch.no_grad():
        plain, padded = model(batch), model(SequenceBatch(x, embedding, mask))
    assert torch.allclose(plain.instance, padded.instance[:, :4], atol=1e-5)
    assert torch.allclose(plain.scene, padded.scene, atol=1e-5)
    assert torch.count_nonzero(padded.instance[:, 4:]) == 0


def test_a_batch_equals_its_members():
    model, batch = tiny(), scenes(3)
    batch.mask[1, 2:] = False
    with torch.no_grad():
        together = model(batch)
        for n in range(3):
            part = slice(n, n + 1)
            one = SequenceBatch(batch.x[part], batch.embedding[part], batch.mask[part])
            alone = model(one)
            assert torch.allclose(together.instance[part], alone.instance, atol=1e-5)
            assert torch.allclose(together.scene[part], alone.scene, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_nobody_gives_finite_output(training):
    model, batch = tiny().train(training), scenes()
    batch.mask[:] = False
    output = model(batch, need_attention=True)
    for tensor in (output.instance, output.scene, output.features, *output.attention):
        assert torch.isfinite(tensor).all()
    empty = SequenceBatch(batch.x[:, :0], batch.embedding[:, :0], batch.mask[:, :0])
    assert torch.isfinite(model(empty).scene).all()


def test_one_empty_scene_does_not_disturb_the_other():
    model, batch = tiny(), scenes()
    with torch.no_grad():
        alone = model(batch)
        batch.mask[1] = False
        beside = model(batch)
    assert torch.allclose(alone.scene[0], beside.scene[0], atol=1e-5)
    assert torch.isfinite(beside.scene).all()


def test_joints_that_are_not_numbers_give_finite_output_and_gradients():
    model, batch = tiny(), scenes()
    batch.x[0, 0, 3, 5] = float("nan")
    batch.x[1, 2, :, :, 0] = float("inf")
    output = model(batch)
    assert torch.isfinite(output.instance).all()
    output.instance.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_attention_rows_sum_to_one_and_padded_columns_are_zero():
    model, batch = tiny(), scenes()
    batch.mask[0, 3] = False
    with torch.no_grad():
        layers = model(batch, need_attention=True).attention
    assert len(layers) == model.config.layers
    tokens = batch.mask.repeat_interleave(layers[0].shape[-1] // 4, dim=1)
    for weights in layers:
        assert weights.shape[1] == model.config.heads
        rows = weights.sum(dim=-1).permute(0, 2, 1)[tokens]
        assert torch.allclose(rows, torch.ones_like(rows), atol=1e-5)
        assert torch.count_nonzero(weights.permute(0, 3, 1, 2)[~tokens]) == 0


def test_fused_and_explicit_attention_agree():
    model, batch = tiny(), scenes()
    batch.mask[0, 2:] = False
    with torch.no_grad():
        fused, explicit = model(batch), model(batch, need_attention=True)
    assert fused.attention is None
    assert torch.allclose(fused.instance, explicit.instance, atol=1e-5)
    assert torch.allclose(fused.scene, explicit.scene, atol=1e-5)


def test_padding_does_not_enter_the_batch_norm_statistics():
    batch = scenes()
    batch.mask[:, 2:] = False
    wild = SequenceBatch(batch.x.clone(), batch.embedding, batch.mask)
    wild.x[:, 2:] = 100.0
    first, second = tiny().train(), tiny().train()
    first(batch)
    second(wild)
    assert torch.equal(first.backbone.input_bn.running_mean, second.backbone.input_bn.running_mean)


@pytest.mark.parametrize("build", [small, large, ctr])
def test_published_sizes_run_forwards_and_backwards(build):
    model = SkeleTR(build(instance_classes=3, scene_classes=2))
    x = torch.randn(1, 2, 30, V, C)
    batch = SequenceBatch(x, torch.randn(1, 2, 5), torch.ones(1, 2, dtype=torch.bool))
    output = model(batch)
    assert output.instance.shape == (1, 2, 3)
    (output.instance.sum() + output.scene.sum()).backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize(
    "wrong",
    [
        {"stream": "motion"},
        {"layers": 0},
        {"dropout": 1.0},
        {"heads": 7},
        {"instance_classes": -1},
        {"backbone": {"channels": [64, 64], "strides": [1]}},
        {"backbone": {"channels": [64], "strides": [1], "kind": "resnet"}},
        {"backbone": {"channels": [64], "strides": [1], "people": 2}},
        {"interaction": "mean"},
        {"aggregation": ()},
        {"aggregation": ("1x1", "1x1")},
        {"aggregation": "1x1+2x2"},
    ],
)
def test_a_configuration_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError):
        SkeleTRConfig(**wrong)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_the_same_labels_on_cuda():
    model, batch = tiny(), scenes()
    with torch.no_grad():
        cpu = model(batch)
        cuda = model.cuda()(batch.to("cuda"))
    assert torch.equal(cpu.instance.argmax(-1), cuda.instance.argmax(-1).cpu())
    assert torch.allclose(cpu.instance, cuda.instance.cpu(), atol=1e-3)


def test_joints_may_be_mixed_before_or_after_the_channels() -> None:
    torch.manual_seed(0)
    for channels, width in ((3, 64), (64, 64), (64, 128)):
        conv = SpatialGraphConv(channels, width)
        with torch.no_grad():
            conv.adjacency.add_(0.1 * torch.randn_like(conv.adjacency))
        x = torch.randn(4, channels, 6, 17)
        first, second = conv.joints_first(x), conv.channels_first(x)
        torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-4)
        target = torch.randn_like(first)
        names, parameters = zip(*conv.named_parameters(), strict=True)
        found, expected = (
            torch.autograd.grad((out * target).sum(), parameters, allow_unused=True)
            for out in (first, second)
        )
        for name, a, b in zip(names, found, expected, strict=True):
            if b is not None:
                torch.testing.assert_close(a, b, atol=1e-3, rtol=1e-3, msg=name)
