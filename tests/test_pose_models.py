"""Where the pose model comes from, without a network."""

import subprocess
import urllib.error
import zipfile

import pytest

from skeletr.pose import PoseError, models
from skeletr.pose.bundle import ALIGNMENT, DETECTOR, LANDMARKER, ZIP_HEADER, is_bundle, write_bundle
from skeletr.pose.models import cache_folder, pose_model


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """An empty cache, no package index and no network."""

    def no_pip(*_, **__):
        return subprocess.CompletedProcess([], 1, "", "ERROR: No matching distribution found")

    def no_network(*_, **__):
        raise urllib.error.URLError("unreachable")

    monkeypatch.delenv("SKELETR_POSE_MODEL", raising=False)
    monkeypatch.setenv("SKELETR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(subprocess, "run", no_pip)
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    return tmp_path


def fake_bundle(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(DETECTOR, b"d" * 100)
        archive.writestr(LANDMARKER, b"l" * 100)
    return path


def test_without_any_source_the_message_says_what_to_do(offline):
    with pytest.raises(PoseError) as error:
        pose_model("full")
    message = str(error.value)
    assert "No matching distribution" in message and "unreachable" in message
    assert "SKELETR_POSE_MODEL" in message and "pose_landmarker_full.task" in message
    assert not list((offline / "cache").glob("*")), "a failure must leave nothing behind"


def test_a_named_file_comes_first(offline, monkeypatch):
    own = fake_bundle(offline / "own.task")
    assert pose_model("full", own) == own
    monkeypatch.setenv("SKELETR_POSE_MODEL", str(own))
    assert pose_model("heavy") == own


def test_a_named_file_must_be_a_bundle(offline):
    wrong = offline / "wrong.task"
    wrong.write_bytes(b"no zip")
    for path in (wrong, offline / "missing.task"):
        with pytest.raises(PoseError, match=path.name):
            pose_model("full", path)


def test_the_cache_is_used_and_a_damaged_file_is_not(offline):
    cached = fake_bundle(offline / "cache" / "pose_landmarker_full.task")
    assert pose_model("full") == cached
    cached.write_bytes(cached.read_bytes()[:150])
    with pytest.raises(PoseError, match="could not be fetched"):
        pose_model("full")


def test_unknown_variant(offline):
    with pytest.raises(PoseError, match="lite"):
        pose_model("huge")


def test_a_file_with_another_hash_is_refused(offline, monkeypatch):
    class Answer:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def read(self, _):
            return b"something else"

    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Answer())
    with pytest.raises(PoseError, match="SHA-256"):
        pose_model("lite")


def test_a_cache_that_cannot_be_written_gives_way_to_a_folder_of_this_process(offline, monkeypatch):
    blocked = offline / "cache"
    blocked.write_text("a file where a folder should be")
    monkeypatch.setattr(models, "_from_wheel", fake_bundle)
    found = pose_model("full")
    assert is_bundle(found) and blocked not in found.parents
    assert pose_model("full") == found, "fetched once per process"
    found.unlink()


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("SKELETR_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "skeletr"
    monkeypatch.setenv("SKELETR_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"


def test_bundle_stores_aligned_and_repeatable(tmp_path):
    network = _smallest_network()
    paths = [tmp_path / "a.task", tmp_path / "b.task"]
    for path in paths:
        write_bundle(path, network, network)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert is_bundle(paths[0])
    with zipfile.ZipFile(paths[0]) as archive:
        for entry in archive.infolist():
            assert entry.compress_type == zipfile.ZIP_STORED
            data = entry.header_offset + ZIP_HEADER + len(entry.filename) + len(entry.extra)
            assert data % ALIGNMENT == 0
            assert b"TFLITE_METADATA" in archive.read(entry)


def _smallest_network() -> bytes:
    flatbuffers = pytest.importorskip("flatbuffers")
    schema = pytest.importorskip("mediapipe.tasks.metadata.schema_py_generated")
    model, buffer = schema.ModelT(), schema.BufferT()
    model.version, model.buffers = 3, [buffer]
    model.subgraphs, model.operatorCodes = [schema.SubGraphT()], []
    builder = flatbuffers.Builder(64)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
