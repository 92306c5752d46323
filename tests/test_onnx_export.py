"""`export`: the ONNX file says what the network says, and stands in for it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from skeletr.batch import SequenceBatch
from skeletr.checkpoint import DEFAULT_CHECKPOINT, Calibration, Checkpoint, CheckpointError
from skeletr.cli import main
from skeletr.evaluation.live import recognise
from skeletr.evaluation.protocol import clip_recording
from skeletr.model import SkeleTR, SkeleTRConfig
from skeletr.onnx_engine import ONNX_FILE, OnnxModel, load_onnx, open_checkpoint
from skeletr.onnx_export import TOLERANCE, export_onnx
from skeletr.onnx_graph import OnnxError
from skeletr.recognizer import Recognizer
from skeletr.recording import Recording
from skeletr.sequences import SequenceConfig
from skeletr.synthetic import examples
from tests.tiny_models import TINY, T, as_trained

pytestmark = pytest.mark.usefixtures("in_float32")

for package in ("onnx", "onnxruntime", "onnxscript"):
    pytest.importorskip(package, reason="not installed: pip install -r requirements-onnx.txt")

DATA_VARIABLE = "SKELETR_DATA"
LABELS = ("run", "stand", "talk", "wave")


@pytest.fixture(scope="module")
def recordings() -> list[Recording]:
    return list(examples().values())


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    model = tiny_with_labels()
    sequences = SequenceConfig(frames=T, rate=10.0, max_sequences=6)
    calibration = Calibration(temperature=1.5, threshold=0.25)
    return Checkpoint(model, LABELS, sequences, calibration, interactions=("talk",))


def tiny_with_labels(**changes: object) -> SkeleTR:
    classes = {"instance_classes": len(LABELS), "scene_classes": len(LABELS)}
    torch.manual_seed(0)
    return as_trained(SkeleTR(SkeleTRConfig(TINY, **classes, **changes)))


@pytest.fixture(scope="module")
def folder(checkpoint, recordings, tmp_path_factory) -> Path:
    """A checkpoint with its ONNX form beside it."""
    folder = tmp_path_factory.mktemp("checkpoint")
    checkpoint.save_pretrained(folder)
    agreement = export_onnx(checkpoint, folder / ONNX_FILE, recordings, attention=True)
    assert set(agreement.difference) == {
        *("instance", "scene", "features"),
        *("attention_0", "attention_1"),
    }
    assert agreement.windows > len(recordings) and agreement.worst <= TOLERANCE
    return folder


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 7), (3, 2), (2, 30)])
def test_any_number_of_scenes_and_sequences(checkpoint, folder, n, m):
    import onnxruntime

    generator = torch.Generator().manual_seed(n * 100 + m)
    x = torch.randn(n, m, T, 17, 3, generator=generator)
    embedding = torch.rand(n, m, 5, generator=generator)
    mask = torch.rand(n, m, generator=generator) < 0.7
    mask[:, 0] = True
    with torch.inference_mode():
        expected = checkpoint.model(SequenceBatch(x, embedding, mask), need_attention=True)
    session = onnxruntime.InferenceSession(folder / ONNX_FILE)
    given = {"x": x.numpy(), "embedding": embedding.numpy(), "mask": mask.numpy()}
    instance, scene, _, attention, _ = session.run(None, given)
    np.testing.assert_allclose(instance, expected.instance, atol=TOLERANCE)
    np.testing.assert_allclose(scene, expected.scene, atol=TOLERANCE)
    np.testing.assert_allclose(attention, expected.attention[0], atol=TOLERANCE)
    # What lies at padding changes nothing.
    given["x"] = np.where(mask.numpy()[..., None, None, None], given["x"], 1e3).astype(np.float32)
    np.testing.assert_allclose(session.run(["scene"], given)[0], scene, atol=1e-6)


def test_the_file_alone_is_enough(folder):
    """For other programs, in whatever language: nothing but the metadata is read."""
    import onnxruntime

    session = onnxruntime.InferenceSession(folder / ONNX_FILE)
    found = session.get_modelmeta().custom_metadata_map
    assert json.loads(found["labels"]) == list(LABELS)
    assert json.loads(found["interactions"]) == ["talk"]
    assert (float(found["temperature"]), float(found["threshold"])) == (1.5, 0.25)
    assert json.loads(found["sequences"])["frames"] == T
    sizes = {i.name: i.shape for i in session.get_inputs()}
    assert sizes == {"x": ["N", "M", T, 17, 3], "embedding": ["N", "M", 5], "mask": ["N", "M"]}


@pytest.mark.parametrize("name", [ONNX_FILE, "."])
def test_the_recogniser_says_the_same(checkpoint, folder, recordings, name):
    """From the file alone, and from the folder of the checkpoint."""
    opened = open_checkpoint(folder / name, engine="onnx")
    assert isinstance(opened.model, OnnxModel)
    assert replace(opened, model=checkpoint.model) == checkpoint
    for recording in recordings:
        same_labels(checkpoint, opened, recording, attention=True)


def same_labels(a: Checkpoint, b: Checkpoint, recording: Recording, attention: bool = False):
    first, second = (recognise(recording, Recognizer(c)) for c in (a, b))
    assert first.people.keys() == second.people.keys()
    for person, track in first.people.items():
        for ours, theirs in zip(track.predictions, second.people[person].predictions, strict=True):
            assert (ours.label, ours.status) == (theirs.label, theirs.status)
            np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-4)
    if attention:
        assert len(first.attention) == len(second.attention) > 0
        for ours, theirs in zip(first.attention, second.attention, strict=True):
            np.testing.assert_allclose(ours[1].weights, theirs[1].weights, atol=1e-4)


def test_the_shipped_model_on_real_recordings(tmp_path):
    root = os.environ.get(DATA_VARIABLE)
    if not root:
        pytest.skip(f"{DATA_VARIABLE} is not set: it names the folder with the real data sets")
    from skeletr.datasets import load_clips

    clips = [c for c in load_clips(Path(root), ["florence3d"]) if c.split == "test"][:6]
    recordings = [clip_recording(clip, None) for clip in clips]
    for i, recording in enumerate(recordings):
        recording.save(tmp_path / f"{i}.npz")
    out = tmp_path / "shipped.onnx"
    files = [str(tmp_path / f"{i}.npz") for i in range(len(clips))]
    assert main(["export", str(DEFAULT_CHECKPOINT), "--onnx", str(out), "--check", *files]) == 0
    shipped = Checkpoint.from_pretrained(DEFAULT_CHECKPOINT)
    for recording in recordings:
        same_labels(shipped, load_onnx(out), recording)


def test_a_network_over_long_sequences_goes_too(recordings, tmp_path):
    """As `import-pyskl` makes them: no Transformer, whole recordings instead of windows."""
    sequences = SequenceConfig(frames=T, max_sequences=2, linking="rank")
    model = tiny_with_labels(interaction="none", aggregation=("1x1",))
    agreement = export_onnx(
        Checkpoint(model, LABELS, sequences), tmp_path / "m.onnx", recordings, attention=True
    )
    assert set(agreement.difference) == {"instance", "scene", "features"}
    assert agreement.windows == len(recordings) and agreement.worst <= TOLERANCE


@pytest.fixture
def built(folder, monkeypatch) -> None:
    """The graph of `checkpoint` is there already: to build one takes long."""
    import onnx

    from skeletr import onnx_export

    graph = onnx.load(folder / ONNX_FILE)
    del graph.metadata_props[:]
    monkeypatch.setattr(onnx_export, "build", lambda *_: graph)


def test_a_file_that_disagrees_is_not_kept(checkpoint, built, recordings, tmp_path):
    other = tiny_with_labels()
    with torch.no_grad():
        other.instance_head.bias += 1e-3
    with pytest.raises(OnnxError, match=r"differs from the network by 1\.0e-03"):
        export_onnx(replace(checkpoint, model=other), tmp_path / "model.onnx", recordings)
    assert not list(tmp_path.iterdir())


def test_nobody_to_compare_on_is_no_agreement(checkpoint, built, tmp_path):
    empty = Recording.from_frames([], (640, 480))
    with pytest.raises(OnnxError, match="nobody is seen"):
        export_onnx(checkpoint, tmp_path / "model.onnx", [empty])
    assert not list(tmp_path.iterdir())


def test_the_form_of_other_weights_is_refused(checkpoint, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "c")
    stricter = replace(checkpoint, calibration=Calibration(threshold=0.9))
    stricter.save_pretrained(tmp_path / "c")
    with pytest.raises(CheckpointError, match="made of another checkpoint"):
        open_checkpoint(tmp_path / "c", engine="onnx")


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be found"), (b"", "no usable export"), (b"letter" * 99, "no usable export")],
)
def test_what_is_no_export_is_one_sentence(tmp_path, capsys, content, said):
    path = tmp_path / "m.onnx"
    if content is not None:
        path.write_bytes(content)
    out = str(tmp_path / "out")
    assert main(["recognize", "any.mp4", "--checkpoint", str(path), "--out", out]) == 2
    problem = capsys.readouterr().err
    assert said in problem and "Traceback" not in problem


def test_an_export_of_something_else_is_refused(tmp_path):
    from onnx import TensorProto, helper, save

    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [value], [value])
    save(helper.make_model(graph), tmp_path / "m.onnx")
    with pytest.raises(CheckpointError, match="no usable export of SkeleTR"):
        load_onnx(tmp_path / "m.onnx")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--engine", "onnx", "--checkpoint", "FOLDER"], "has no model.onnx; make it with"),
        (["--engine", "torch", "--checkpoint", "x.onnx"], "is an ONNX file"),
    ],
)
def test_engines_that_cannot_be_had_are_said(checkpoint, tmp_path, capsys, arguments, said):
    checkpoint.save_pretrained(tmp_path / "c")
    given = [str(tmp_path / "c") if a == "FOLDER" else a for a in arguments]
    assert main(["recognize", "any.mp4", "--out", str(tmp_path / "out"), *given]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_missing_package_is_named(folder, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(CheckpointError, match=r"requirements-onnx\.txt"):
        load_onnx(folder / ONNX_FILE)
