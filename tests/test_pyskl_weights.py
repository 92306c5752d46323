"""Published weights: all of them find their place, and do there what they did."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from skeletr.batch import SequenceBatch
from skeletr.checkpoint import Checkpoint
from skeletr.cli import main
from skeletr.model import SkeleTR, ctr
from skeletr.model.graph import spatial_partition
from skeletr.model.pyskl_weights import (
    WeightsError,
    classifier_of,
    load_backbone,
    pyskl_bones,
    read_weights,
)
from skeletr.skeleton import C, V

from . import pyskl_reference as reference
from .paper_stores import write_kinetics


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


STATES = {"st-gcn++": reference.stgcnpp_state(), "ctr-gcn": reference.ctrgcn_state()}
FORWARD = {"st-gcn++": reference.stgcnpp_forward, "ctr-gcn": reference.ctrgcn_forward}


def _input(n: int = 2, m: int = 2, frames: int = 13) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(n, m, frames, V, C, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("model", STATES)
def test_a_published_model_answers_as_it_did(model):
    state, x = STATES[model], _input()
    found = classifier_of(state, model).double()  # missing or unexpected weights would raise
    expected = FORWARD[model](state, x)
    assert expected.std() > 0.1  # the weights matter
    with torch.no_grad():
        assert torch.allclose(found(x), expected, atol=1e-4)
        swapped = found(x.flip(1))
    # Two people are alike to ST-GCN++, and not to CTR-GCN, whose input norm knows their rank.
    assert torch.allclose(swapped, expected, atol=1e-4) == (model == "st-gcn++")


def test_the_graph_is_the_published_one():
    assert torch.equal(spatial_partition(), reference.graph())


def test_a_backbone_for_any_number_of_people_has_the_norm_of_the_first():
    skeletr = SkeleTR(ctr(scene_classes=2)).eval().double()
    load_backbone(skeletr.backbone, skeletr.config.backbone, STATES["ctr-gcn"])
    both = classifier_of(STATES["ctr-gcn"], "ctr-gcn").double()
    x = _input(1, 2)[0]
    with torch.no_grad():
        mine, theirs = skeletr.backbone(x), both.backbone(x)
        assert torch.allclose(mine[0], theirs[0], atol=1e-6)
        assert not torch.allclose(mine[1], theirs[1], rtol=1e-2)
        assert skeletr.backbone(_input(1, 5)[0]).shape[0] == 5
        with pytest.raises(ValueError, match="expected 2"):
            both(_input(2, 1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"backbone.net.3.gcn1.alpha": None}, "no weight backbone.net.3.gcn1.alpha"),
        ({"backbone.net.3.gcn1.beta": torch.ones(1)}, "unknown weights.*gcn1.beta"),
        ({"backbone.A": reference.graph().transpose(1, 2)}, "another graph"),
        ({"backbone.net.0.gcn1.A": torch.ones(3, 25, 25)}, "size mismatch"),
        ({"backbone.data_bn.weight": torch.ones(2 * 25 * 3)}, "other joints"),
        ({"cls_head.fc_cls.weight": None}, "cls_head"),
    ],
)
def test_weights_that_do_not_fit_are_named(change, said):
    state = {k: v for k, v in {**STATES["ctr-gcn"], **change}.items() if v is not None}
    with pytest.raises(WeightsError, match=said):
        classifier_of(state, "ctr-gcn")


def test_weights_of_one_model_are_not_those_of_the_other():
    with pytest.raises(WeightsError, match="no weight"):
        classifier_of(STATES["ctr-gcn"], "st-gcn++")


def test_files_are_read_and_nothing_is_executed(tmp_path: Path):
    state = {name: tensor.contiguous() for name, tensor in STATES["st-gcn++"].items()}
    save_file(state, tmp_path / "a.safetensors")
    torch.save({"meta": {"epoch": 16, "config": "text"}, "state_dict": state}, tmp_path / "a.pth")
    for name in ("a.safetensors", "a.pth"):
        found = read_weights(tmp_path / name)
        assert all(torch.equal(found[k], v) for k, v in state.items())

    class Evil:
        def __reduce__(self) -> tuple:
            return open, (str(tmp_path / "executed"), "w")

    torch.save({"state_dict": {"a": Evil()}}, tmp_path / "evil.pth")
    (tmp_path / "old.pth").write_bytes(pickle.dumps(Evil(), protocol=2))
    torch.save({"state_dict": {"a": "text"}}, tmp_path / "text.pth")
    torch.save([1], tmp_path / "list.pth")
    (tmp_path / "broken.pth").write_text("no weights at all")
    for name in ("evil.pth", "old.pth", "text.pth", "list.pth", "broken.pth", "absent.pth"):
        with pytest.raises(WeightsError, match=name):
            read_weights(tmp_path / name)
    assert not (tmp_path / "executed").exists()


def test_the_command_makes_a_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    torch.save({"state_dict": STATES["st-gcn++"]}, tmp_path / "j.pth")
    out, store, kinetics = tmp_path / "out", tmp_path / "store", write_kinetics(tmp_path / "k400")
    assert main(["prepare", "pyskl", str(kinetics), "--val", "val", "--out", str(store)]) == 0
    command = ["import-pyskl", str(tmp_path / "j.pth"), "--out", str(out)]
    assert main([*command, "--model", "st-gcn++", "--store", str(store)]) == 0
    assert main(["evaluate", str(out), "--split", "val"]) == 0
    assert "units       3" in capsys.readouterr().out
    checkpoint = Checkpoint.from_pretrained(out)
    assert checkpoint.labels == tuple(f"class {i}" for i in range(6))
    x = _input().float()
    batch = SequenceBatch(x, torch.zeros(2, 2, 5), torch.ones(2, 2, dtype=torch.bool))
    with torch.no_grad():
        expected = reference.stgcnpp_forward(STATES["st-gcn++"], x.double()).float()
        assert torch.allclose(checkpoint.model(batch).scene, expected, rtol=1e-3, atol=1e-3)
    assert main([*command, "--model", "ctr-gcn"]) == 1
    assert "import-pyskl: no weight" in capsys.readouterr().err


def test_bones_of_pyskl_hang_on_the_nose():
    x = torch.rand(4, V, C)
    found = pyskl_bones(x)
    assert torch.equal(found[:, 11, :2], x[:, 11, :2] - x[:, 0, :2])
    assert torch.equal(found[:, 9, :2], x[:, 9, :2] - x[:, 7, :2])
    assert torch.equal(found[:, 0, :2], torch.zeros(4, 2))
    assert torch.allclose(found[:, 12, 2], (x[:, 12, 2] + x[:, 0, 2]) / 2)
