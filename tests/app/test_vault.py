"""Visitors' files: paths that cannot be guessed, removed when and only when nobody needs them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from app.vault import Vault


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "root", keep=100.0)


def upload(vault: Vault, name: str = "a.mp4", digest: str = "0" * 64) -> Path:
    path = vault.root / digest / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"video")
    return path


def age(path: Path, seconds: float = 1000.0) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_folders_cannot_be_guessed_and_are_for_this_program_only(vault: Vault) -> None:
    folders = {vault.new_folder() for _ in range(20)}
    assert len(folders) == 20
    assert all(len(f.name.removeprefix("visitor-")) == 43 for f in folders)  # 256 bits
    if os.name == "posix":
        assert all(f.stat().st_mode & 0o077 == 0 for f in folders)


def test_an_upload_stays_while_somebody_uses_it(vault: Vault) -> None:
    path = upload(vault)
    vault.hold("a", path)
    vault.hold("b", path)
    vault.release("a")
    assert path.exists()
    vault.release("b")
    assert not path.exists() and not path.parent.exists()


def test_an_upload_that_is_used_again_stays(vault: Vault) -> None:
    first, second = upload(vault), upload(vault, digest="1" * 64)
    vault.hold("a", first)
    vault.hold("a", second)
    vault.release("a", but=second)
    assert not first.exists() and second.exists()


def test_files_from_elsewhere_are_never_removed(vault: Vault, tmp_path: Path) -> None:
    other = tmp_path / "own.mp4"
    other.touch()
    inside_out = vault.root / ".." / "own.mp4"
    for path in (other, inside_out):
        vault.hold("a", path)
    vault.release("a")
    assert other.exists()


def test_what_a_killed_program_left_is_removed_by_age(vault: Vault) -> None:
    old, new = vault.new_folder(), vault.new_folder()
    old_upload = upload(vault)
    empty, part = vault.root / "tmpab12cd_8", vault.root / "tmp0123abcd"
    empty.touch()
    part.write_bytes(b"half a film")
    for path in (old, old_upload.parent, empty, part):
        age(path)
    assert vault.sweep() == 4
    assert sorted(p.name for p in vault.root.iterdir()) == [new.name]
    assert vault.sweep() == 0


def test_a_part_of_an_upload_goes_before_whole_files_do(tmp_path: Path) -> None:
    vault = Vault(tmp_path, keep=3600.0)
    whole, coming, left = upload(vault), tmp_path / "tmp0000000a", tmp_path / "tmp0000000b"
    for path in (coming, left):
        path.write_bytes(b"half a film")
    age(left, 400)
    age(whole.parent, 400)
    age(coming, 200)
    assert vault.sweep() == 1
    assert coming.exists() and whole.exists() and not left.exists()


def test_what_belongs_to_others_stays_however_old(vault: Vault) -> None:
    upload(vault)
    for name in ("notes.txt", "tmpfull"):
        (vault.root / name).write_text("mine")
        age(vault.root / name)
    (vault.root / "music").mkdir()
    age(vault.root / "music")
    assert vault.sweep() == 0


def test_files_in_use_do_not_grow_old(vault: Vault) -> None:
    folder, path = vault.new_folder(), upload(vault)
    vault.hold("a", path)
    for old in (folder, path.parent):
        age(old)
    vault.refresh("a", folder)
    assert vault.sweep() == 0 and path.exists()


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "none" / "yet", keep=1.0)
    assert vault.sweep() == 0 and vault.free() > 0
    vault.remove(tmp_path / "gone")
