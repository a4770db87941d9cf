"""The folder of what is remembered: whole entries or none, and not too many of them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kubelemma.remembering.folder import Damaged, Folder


def test_folder(tmp_path: Path) -> None:
    """What was written last under a key is read; nothing else stays behind."""
    folder = Folder(tmp_path / "new" / "folder")
    assert folder.read("k") is None
    folder.write("k", b"one")
    folder.write("k", b"two\nlines")
    assert folder.read("k") == b"two\nlines"
    assert sorted(p.name for p in folder.path.iterdir()) == [".gitignore", "k.json"]
    assert (folder.path / ".gitignore").read_text("utf-8") == "*\n"


@pytest.mark.parametrize("keep", range(3))
def test_damage(tmp_path: Path, keep: int) -> None:
    """A file that was cut short, changed or emptied is no file."""
    folder = Folder(tmp_path)
    folder.write("k", b"content")
    path = tmp_path / "k.json"
    written = path.read_bytes()
    path.write_bytes((written[:-1], written[:-1] + b"T", b"")[keep])
    with pytest.raises(Damaged, match=r"k\.json is damaged"):
        folder.read("k")


def test_many_at_once(tmp_path: Path) -> None:
    """Those who read while others write never read half of a file."""
    folder = Folder(tmp_path)
    contents = {bytes([65 + n]) * 50_000 for n in range(4)}

    def work(content: bytes) -> None:
        for _ in range(25):
            folder.write("k", content)
            assert folder.read("k") in contents

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, contents))
    assert [p.name for p in tmp_path.glob("*.tmp")] == []


@pytest.mark.parametrize("folder", [{"most_files": 2}, {"most_bytes": 2 * 51}])
def test_pruning(tmp_path: Path, folder: dict[str, int]) -> None:
    """Of too many files, or too large ones, those stay that were of use last."""
    kept = Folder(tmp_path, **folder)
    for age, key in enumerate("abcd"):
        kept.write(key, b"0123456789")
        os.utime(tmp_path / f"{key}.json", (1000 + age, 1000 + age))
    (tmp_path / "killed.tmp").write_bytes(b"1")
    os.utime(tmp_path / "killed.tmp", (1, 1))
    assert kept.read("a")
    kept.prune()
    assert sorted(p.name for p in tmp_path.iterdir()) == [".gitignore", "a.json", "d.json"]


def test_pruning_nothing(tmp_path: Path) -> None:
    """Where there is no folder there is nothing to prune, and none is made."""
    Folder(tmp_path / "absent").prune()
    assert list(tmp_path.iterdir()) == []
