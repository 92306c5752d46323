"""Backbones, interactions (Table 4) and aggregations (Table 5): definitions and properties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from skeletr.batch import SequenceBatch
from skeletr.checkpoint import Checkpoint
from skeletr.model.alternatives import NonLocalBlock
from skeletr.model.backbone import Backbone
from skeletr.model.classifier import GCNClassifier
from skeletr.model.config import BACKBONES, INTERACTIONS, MIX, STREAMS, SkeleTRConfig, streams
from skeletr.model.graph import distance_partition
from skeletr.model.mix_pooling import MixPooling
from skeletr.model.stgcn import STGCNBlock
from skeletr.recognizer import Recognizer
from skeletr.sequences import SequenceConfig
from skeletr.skeleton import COCO_PARTS, C, V
from skeletr.training import ConfigError, TrainConfig

from .synthetic import scene
from .tiny_models import TINY, T, as_trained, scenes, tiny

KINDS = [replace(TINY, kind=kind) for kind in BACKBONES]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


# Every combination that changes the road: each interaction, and each backbone under the first.
NETWORKS = [{"interaction": name} for name in INTERACTIONS]
NETWORKS += [{"backbone": kind} for kind in KINDS] + [{"aggregation": STREAMS}]


def _name(network: dict) -> str:
    return str(next(iter(network.values())))[:20]


@pytest.mark.parametrize("network", NETWORKS, ids=_name)
def test_permuting_people_permutes_the_outputs(network):
    model, batch = tiny(**network), scenes()
    order = torch.tensor([2, 0, 3, 1])
    mixed = SequenceBatch(batch.x[:, order], batch.embedding[:, order], batch.mask[:, order])
    with torch.no_grad():
        plain, permuted = model(batch), model(mixed)
    assert torch.allclose(plain.instance[:, order], permuted.instance, atol=1e-5)
    assert torch.allclose(plain.scene, permuted.scene, atol=1e-5)


@pytest.mark.parametrize("network", NETWORKS, ids=_name)
def test_padding_and_empty_scenes_change_nothing(network):
    model, batch = tiny(**network), scenes()
    x = torch.cat([batch.x, torch.full((2, 3, T, V, C), 9.0)], dim=1)
    embedding = torch.cat([batch.embedding, torch.full((2, 3, 5), -9.0)], dim=1)
    mask = torch.cat([batch.mask, torch.zeros(2, 3, dtype=torch.bool)], dim=1)
    with torch.no_grad():
        plain = model(batch)
        padded = model(SequenceBatch(x, embedding, mask), need_attention=True)
        mask[1] = False
        beside = model(SequenceBatch(x, embedding, mask), need_attention=True)
    assert torch.allclose(plain.instance, padded.instance[:, :4], atol=1e-5)
    assert torch.allclose(plain.scene, padded.scene, atol=1e-5)
    assert torch.count_nonzero(padded.instance[:, 4:]) == 0
    assert torch.allclose(plain.scene[0], beside.scene[0], atol=1e-5)
    assert torch.isfinite(beside.scene).all()
    for weights in padded.attention or ():
        assert torch.allclose(weights.sum(dim=-1), torch.ones(()), atol=1e-5)
        assert torch.count_nonzero(weights[..., 4 * weights.shape[-1] // 7 :]) == 0


@pytest.mark.parametrize("network", NETWORKS, ids=_name)
def test_every_weight_learns_and_nobody_gives_finite_output(network):
    model, batch = tiny(**network).train(), scenes()
    output = model(batch)
    (output.instance.sum() + output.scene.square().sum()).backward()
    assert all(p.grad is not None for p in model.parameters())
    nobody = SequenceBatch(batch.x, batch.embedding, torch.zeros_like(batch.mask))
    output = model(nobody, need_attention=True)
    assert torch.isfinite(output.instance).all() and torch.isfinite(output.scene).all()
    assert all(torch.isfinite(weights).all() for weights in output.attention or ())
    none = SequenceBatch(batch.x[:, :0], batch.embedding[:, :0], batch.mask[:, :0])
    assert torch.isfinite(model(none).scene).all()


@pytest.mark.parametrize("backbone", KINDS, ids=lambda b: b.kind)
@pytest.mark.parametrize("frames", [1, 7, 12])
def test_backbones_take_any_number_of_frames(backbone, frames):
    x = torch.randn(3, frames, V, C)
    with torch.no_grad():
        found = as_trained(Backbone(backbone))(x)
    assert found.shape == (3, backbone.width, backbone.frames(frames), V)


def test_st_gcn_is_the_sum_over_weighted_neighbours():
    torch.manual_seed(0)
    block = as_trained(STGCNBlock(4, 6, 1, residual=False)).double()
    x = torch.randn(2, 4, 5, V, dtype=torch.float64)
    graph = distance_partition().double()
    with torch.no_grad():
        block.adjacency_importance.uniform_(0.5, 1.5)
        weight = block.conv.weight[..., 0, 0].view(3, 6, 4)
        bias = block.conv.bias.view(3, 6)
        mixed = torch.zeros(2, 6, 5, V, dtype=torch.float64)
        for k in range(3):
            values = torch.stack(
                [x[:, :, :, v].transpose(1, 2) @ weight[k].T + bias[k] for v in range(V)], dim=3
            ).transpose(1, 2)
            edges = graph[k] * block.adjacency_importance[k]
            for w in range(V):
                for v in range(V):
                    mixed[..., w] += values[..., v] * edges[v, w]
        assert torch.allclose(block(x), block.tcn(mixed).relu(), atol=1e-10)


# Interactions


def _features(model, batch: SequenceBatch) -> tuple[torch.Tensor, torch.Tensor]:
    """Means of the tokens of each sequence, as they are and embedded and normalised."""
    n, m = batch.mask.shape
    tokens = model.tokens(batch.x.flatten(0, 1)).view(n, m, -1, TINY.width)
    if model.norm is None:
        return tokens.mean(dim=2), tokens
    embedded = model.norm(tokens + model.embedding(batch.embedding)[:, :, None])
    return tokens.mean(dim=2), embedded


def test_none_is_the_gcn_alone():
    model, batch = tiny(interaction="none", aggregation="1x1"), scenes()
    assert not any(name.startswith(("encoder", "norm", "embedding")) for name in model.state_dict())
    baseline = GCNClassifier(TINY, 4).eval()
    state = {k: v for k, v in model.state_dict().items() if not k.startswith("instance_head")}
    baseline.load_state_dict(state)
    with torch.no_grad():
        output = model(batch, need_attention=True)
        assert torch.allclose(output.scene, baseline(batch.x), atol=1e-5)
        changed = SequenceBatch(batch.x.clone(), batch.embedding, batch.mask)
        changed.x[:, 1:] = 0
        assert torch.allclose(model(changed).instance[:, 0], output.instance[:, 0], atol=1e-5)
    assert output.attention is None


@torch.no_grad()
def test_global_features_are_added_or_concatenated():
    batch = scenes()
    batch.mask[0, 2:] = False
    add, concat = tiny(interaction="add global"), tiny(interaction="concat global")
    for model in (add, concat):
        _, embedded = _features(model, batch)
        own = embedded.mean(dim=2)
        whole = torch.stack([own[0, :2].mean(dim=0), own[1].mean(dim=0)])[:, None]
        expected = own + whole
        if model is concat:
            both = torch.cat([own, whole.expand_as(own)], dim=-1)
            expected = both @ model.encoder.merge.weight.T + model.encoder.merge.bias
        output = model(batch, need_attention=True)
        assert output.attention is None
        assert torch.allclose(output.features[batch.mask], expected[batch.mask], atol=1e-5)


@torch.no_grad()
def test_a_non_local_block_is_that_of_its_paper():
    block = as_trained(NonLocalBlock(8)).double()
    x = torch.randn(1, 5, 8, dtype=torch.float64)
    found, weights = block(x, torch.tensor([[True] * 4 + [False]]), need_weights=True)
    theta, phi, g = (layer(x[0]) for layer in (block.theta, block.phi, block.g))
    for i in range(4):
        scores = torch.stack([(theta[i] * phi[j]).sum() for j in range(4)]).exp()
        share = scores / scores.sum()
        y = sum(share[j] * g[j] for j in range(4))
        assert torch.allclose(found[0, i], x[0, i] + block.out(y), atol=1e-10)
        assert torch.allclose(weights[0, 0, i, :4], share, atol=1e-10)
    assert torch.equal(NonLocalBlock(8)(x.float(), torch.ones(1, 5).bool())[0], x.float())


@pytest.mark.parametrize("interaction", INTERACTIONS)
def test_the_recogniser_copes_with_and_without_attention(interaction):
    model = tiny(interaction=interaction)
    model.scene_head = torch.nn.Linear(TINY.width, 5)
    model.config = replace(model.config, scene_classes=5)
    checkpoint = Checkpoint(model, tuple("abcde"), SequenceConfig(frames=T, rate=10.0))
    recognizer = Recognizer(checkpoint)
    people = scene([100, 400], np.arange(30) / 10)
    answers = [recognizer.step(f.people, f.time, people.image_size) for f in people.frames()]
    log = recognizer.finish()
    attends = interaction in ("transformer", "non-local")
    assert (answers[-1].attention is not None) == attends
    assert bool(log.attention) == attends
    assert all(np.isclose(p.scores.sum(), 1) for t in log.people.values() for p in t.predictions)


# Aggregation


def test_streams_are_means_over_time_and_joints():
    x = torch.randn(2, 3, 4, V, dtype=torch.float64)
    found = MixPooling(STREAMS).double()(x)
    parts = [list(joints) for _, joints in COCO_PARTS]
    expected = [x.mean(dim=(2, 3))]
    expected += [x[:, :, t, part].mean(dim=-1) for t in range(4) for part in parts]
    expected += [x[:, :, t].mean(dim=-1) for t in range(4)]
    expected += [x[..., part].mean(dim=(2, 3)) for part in parts]
    expected += [x[..., v].mean(dim=2) for v in range(V)]
    assert torch.allclose(found, torch.stack(expected, dim=1), atol=1e-6)
    assert found.shape[1] == MixPooling(STREAMS).length(4) == 1 + 20 + 4 + 5 + V


def test_a_set_of_streams_has_one_order():
    assert streams("1xP+1x1+Tx1") == streams(["Tx1", "1x1", "1xP"]) == MIX
    assert SkeleTRConfig(aggregation="1xP+1x1+Tx1") == SkeleTRConfig()


# Training configuration


def test_a_run_names_its_network():
    config = TrainConfig(
        "a",
        "b",
        size="L",
        backbone="ctrgcn",
        interaction="non-local",
        aggregation=["Tx1", "1x1"],
    ).model()
    assert (config.backbone.kind, config.backbone.width) == ("ctrgcn", 256)
    assert (config.interaction, config.aggregation) == ("non-local", ("1x1", "Tx1"))
    for wrong in ({"backbone": "vit"}, {"interaction": "sum"}, {"aggregation": ("2x2",)}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            TrainConfig("a", "b", **wrong)
