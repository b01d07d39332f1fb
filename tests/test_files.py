"""Assets are found in a checkout and in a wheel, and a file is written whole or not at all."""

import hashlib
import json
import os
import platform
import re
import stat
from pathlib import Path

import pytest

from lewm_lite import asset_path, files
from lewm_lite.files import asset_root, birth_certificate, in_one_step, json_bytes, sha256, write_atomically


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


# Where assets are


def test_in_a_checkout_assets_lie_beside_the_package(root):
    assert asset_root() == root / "assets"
    path = asset_path("labs/cloud_flow/manifest.json")
    assert path == root / "assets/labs/cloud_flow/manifest.json"
    assert path.is_file()


def test_in_a_wheel_assets_lie_inside_the_package(tmp_path, monkeypatch):
    package = tmp_path / "site-packages/lewm_lite"
    (package / "assets/labs").mkdir(parents=True)
    (package / "assets/labs/one.json").touch()
    monkeypatch.setattr(files, "_PACKAGE", package)
    assert asset_path("labs/one.json") == package / "assets/labs/one.json"


def test_a_folder_of_assets_has_a_path_too(root):
    assert asset_path("labs") == root / "assets/labs"


def test_the_working_directory_does_not_matter(tmp_path, monkeypatch, root):
    monkeypatch.chdir(tmp_path)
    assert asset_path("labs/cloud_flow/manifest.json") == root / "assets/labs/cloud_flow/manifest.json"


def test_an_unknown_name_is_refused_with_what_stands_beside_it():
    with pytest.raises(FileNotFoundError, match=r"no asset 'labs/cloud_flow/plugg.svg'; beside it are: ") as error:
        asset_path("labs/cloud_flow/plugg.svg")
    assert "manifest.json" in str(error.value)
    assert "plug.svg" in str(error.value)


def test_a_name_in_an_unknown_folder_has_nothing_beside_it():
    with pytest.raises(FileNotFoundError, match="no asset 'nowhere/at/all.json'; beside it are: nothing"):
        asset_path("nowhere/at/all.json")


@pytest.mark.parametrize("name", ["../pyproject.toml", "labs/../../pyproject.toml", "/etc/hostname", ".."])
def test_a_name_that_leads_out_of_the_folder_is_refused(name):
    with pytest.raises(ValueError, match="name must stay inside assets/, got ") as error:
        asset_path(name)
    assert repr(name) in str(error.value)


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path, monkeypatch):
    (tmp_path / "assets").mkdir()
    (tmp_path / "secret").touch()
    (tmp_path / "assets/link").symlink_to(tmp_path / "secret")
    monkeypatch.setattr(files, "_PACKAGE", tmp_path)
    with pytest.raises(ValueError, match="name must stay inside assets/, got 'link'"):
        asset_path("link")


# Writing


def test_a_file_and_its_folders_are_written(tmp_path):
    write_atomically(tmp_path / "a/b/c.bin", b"\x00new")
    assert (tmp_path / "a/b/c.bin").read_bytes() == b"\x00new"
    assert names_in(tmp_path / "a/b") == ["c.bin"]


def test_an_old_file_is_replaced_and_nothing_else_is_left(tmp_path):
    (tmp_path / "c.bin").write_bytes(b"a much longer old content")
    write_atomically(tmp_path / "c.bin", b"new")
    assert (tmp_path / "c.bin").read_bytes() == b"new"
    assert names_in(tmp_path) == ["c.bin"]


@pytest.mark.parametrize("before", [None, 0o600, 0o444])
def test_a_written_file_can_be_read_by_everyone_and_written_by_its_owner(tmp_path, before):
    path = tmp_path / "c.bin"
    if before is not None:
        path.touch()
        path.chmod(before)
    write_atomically(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def fail(*_, **__):
    raise OSError("the disk is full")


def interrupt(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("owner", "function", "failure"),
    [(files.os, "fsync", fail), (Path, "replace", fail), (Path, "chmod", fail), (files.os, "fsync", interrupt)],
    ids=["fsync", "replace", "chmod", "interrupted"],
)
def test_when_writing_fails_the_old_file_is_whole_and_no_temporary_is_left(
    tmp_path, monkeypatch, owner, function, failure
):
    (tmp_path / "c.bin").write_bytes(b"old")
    with monkeypatch.context() as broken, pytest.raises((OSError, KeyboardInterrupt)):
        broken.setattr(owner, function, failure)
        write_atomically(tmp_path / "c.bin", b"new")
    assert (tmp_path / "c.bin").read_bytes() == b"old"
    assert names_in(tmp_path) == ["c.bin"]


def test_content_that_is_no_bytes_leaves_the_old_file_whole(tmp_path):
    (tmp_path / "c.bin").write_bytes(b"old")
    with pytest.raises(TypeError, match="bytes"):
        write_atomically(tmp_path / "c.bin", "text")
    assert (tmp_path / "c.bin").read_bytes() == b"old"
    assert names_in(tmp_path) == ["c.bin"]


def test_a_folder_is_not_written_over(tmp_path):
    (tmp_path / "c").mkdir()
    with pytest.raises(OSError, match="c"):
        write_atomically(tmp_path / "c", b"new")
    assert names_in(tmp_path) == ["c"]


# Manifests


def test_a_hash_is_sha_256():
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_birth_certificate_says_command_seed_versions_and_a_hash_of_each_file():
    made = birth_certificate(command="make it", seed=3, files={"b.bin": b"bb", "a.bin": b""})
    assert made["command"] == "make it"
    assert made["seed"] == 3
    assert made["versions"]["python"] == platform.python_version()
    assert {"torch", "numpy"} <= set(made["versions"])
    assert made["sha256"] == {name: hashlib.sha256(b).hexdigest() for name, b in (("a.bin", b""), ("b.bin", b"bb"))}
    assert list(made["sha256"]) == ["a.bin", "b.bin"]


def test_a_package_that_is_not_installed_has_no_version(monkeypatch):
    real = files.version

    def version(package):
        if package == "onnx":
            raise files.PackageNotFoundError(package)
        return real(package)

    monkeypatch.setattr(files, "version", version)
    assert "onnx" not in birth_certificate(command="", seed=0, files={})["versions"]


def test_json_is_readable_keeps_its_order_and_ends_in_a_newline():
    written = json_bytes({"λ": 0.1, "a": [1, 2]})
    assert written.decode().startswith('{\n "λ": 0.1,')
    assert written.endswith(b"}\n")
    assert list(json.loads(written)) == ["λ", "a"]
    assert json_bytes({"λ": 0.1, "a": [1, 2]}) == written


def test_a_file_that_others_write_takes_its_place_when_the_block_ends(tmp_path):
    path = tmp_path / "a/b.bin"
    with in_one_step(path) as temporary:
        temporary.write_bytes(b"new")
        assert temporary.parent == path.parent and not path.exists()
    assert path.read_bytes() == b"new" and names_in(path.parent) == ["b.bin"]
    with pytest.raises(KeyboardInterrupt), in_one_step(path) as temporary:
        temporary.write_bytes(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"new" and names_in(path.parent) == ["b.bin"]


def test_what_a_killed_process_left_goes_when_it_is_old_and_nothing_else(tmp_path):
    path = tmp_path / "c.bin"
    old = (
        ".c.bin.abc_1234.part",
        ".c.bin.d.abc_1234.part",
        ".other.bin.abc_1234.part",
        ".c.bin.original",
        "c.bin.part",
    )
    for name in old:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / ".c.bin.young123.part").touch()
    with in_one_step(path) as temporary:
        temporary.touch()
        left = re.sub(r"\.\w+\.part$", ".abc_1234.part", temporary.name)  # the name is one that would go
        assert left == old[0]
    assert names_in(tmp_path) == sorted([*old[1:], ".c.bin.young123.part", "c.bin"])
