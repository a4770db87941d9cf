"""Files that are whole or not there, and folders that belong to one process."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kubelemma import files
from kubelemma.files import InUse, alone, ignore_in_git, write_whole

OLD, NEW = b"old" * 1000, b"new" * 1_000_000

WRITER = """
import sys
from pathlib import Path
from kubelemma.files import write_whole
path, content = Path(sys.argv[1]), sys.argv[2].encode() * 2_000_000
print("ready", flush=True)
while True:
    write_whole(path, content, lasting=False)
"""
"""A process that writes a file again and again."""

HOLDER = """
import sys
from pathlib import Path
from kubelemma.files import InUse, alone
try:
    with alone(Path(sys.argv[1])):
        print("ours", flush=True)
        sys.stdin.read()
except InUse as error:
    print(error, flush=True)
"""
"""A process that has a folder until its input ends."""


def python(script: str, *arguments: str) -> subprocess.Popen[str]:
    """Run a script as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> str:
    """The next line of a process."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def names(folder: Path) -> list[str]:
    """All that is in a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("lasting", [True, False])
def test_written_and_replaced(tmp_path: Path, *, lasting: bool) -> None:
    """A file is made, and replaced; nothing else stays behind."""
    for content in (OLD, NEW, b""):
        write_whole(tmp_path / "a", content, lasting=lasting)
        assert (tmp_path / "a").read_bytes() == content
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("step", ["fsync", "write", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("before", [True, False])
def test_broken_off(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    error: BaseException,
    *,
    before: bool,
) -> None:
    """Whatever goes wrong in whichever step, the file is what it was, and nothing lies about."""
    path = tmp_path / "a"
    if before:
        path.write_bytes(OLD)

    def fail(*_given: object) -> None:
        raise error

    def half(fresh: Path, *_given: object, **_options: object) -> None:
        fresh.write_bytes(NEW[:10])
        raise error

    changes = {"fsync": (os, "fsync", fail), "write": (files, "_write", half)}
    monkeypatch.setattr(*changes.get(step, (Path, "replace", fail)))
    with pytest.raises(type(error)):
        write_whole(path, NEW)
    assert names(tmp_path) == ["a"] * before
    assert not before or path.read_bytes() == OLD


def test_killed(tmp_path: Path) -> None:
    """A process that is killed in the middle of it leaves a whole file, of before or of after."""
    path = tmp_path / "a"
    for content in ("a", "b", "c", "d"):
        earlier = path.read_bytes() if path.exists() else None
        with python(WRITER, str(path), content) as process:
            assert said(process) == "ready"
            threading.Event().wait(0.02)
            process.send_signal(signal.SIGKILL)
        found = path.read_bytes() if path.exists() else None
        assert found in (earlier, content.encode() * 2_000_000)


def test_read_while_written(tmp_path: Path) -> None:
    """Two processes that write one file never let half of it, or some of each, be seen."""
    path = tmp_path / "a"
    whole = {content.encode() * 2_000_000 for content in "ab"}
    with python(WRITER, str(path), "a") as one, python(WRITER, str(path), "b") as other:
        assert (said(one), said(other)) == ("ready", "ready")
        while not path.exists():
            assert one.poll() is None
        seen = [path.read_bytes() in whole for _ in range(50)]
        one.kill()
        other.kill()
    assert all(seen)


def test_permissions_stay(tmp_path: Path) -> None:
    """A new file has those of every other, a replaced one its own, and read-only is read-only."""
    path = tmp_path / "a"
    write_whole(path, OLD)
    (tmp_path / "b").write_bytes(OLD)
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "b").stat().st_mode)
    path.chmod(0o640)
    write_whole(path, NEW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o444)
    if os.geteuid():
        with pytest.raises(PermissionError):
            write_whole(path, OLD)
        assert path.read_bytes() == NEW


def test_links_and_pipes(tmp_path: Path) -> None:
    """A link leads to where it led, and what is no file is written to."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/a")
    for content in (OLD, NEW):
        write_whole(tmp_path / "link", content)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "folder" / "a").read_bytes() == content
    write_whole(Path(os.devnull), NEW)
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_whole(tmp_path / "pipe", NEW)
    reader.join()
    assert read == [NEW]


def test_long_names(tmp_path: Path) -> None:
    """A name may be as long as the file system lets it be."""
    path = tmp_path / ("a" * 255)
    write_whole(path, OLD)
    assert path.read_bytes() == OLD


def test_git_ignores(tmp_path: Path) -> None:
    """A folder ignores itself, unless somebody has written something else there."""
    ignore_in_git(tmp_path)
    assert (tmp_path / ".gitignore").read_text("utf-8") == "*\n"
    (tmp_path / ".gitignore").write_text("mine", "utf-8")
    ignore_in_git(tmp_path)
    assert (tmp_path / ".gitignore").read_text("utf-8") == "mine"


def test_alone(tmp_path: Path) -> None:
    """A folder is for one process at a time, and then for the next; a lock is no litter."""
    folder = tmp_path / "new" / "kept"
    with python(HOLDER, str(folder)) as one:
        assert said(one) == "ours"
        with pytest.raises(InUse, match="kept is in use by another run"), alone(folder):
            pass
        with python(HOLDER, str(folder)) as other:
            assert said(other) == f"{folder} is in use by another run"
        (folder / "found").write_bytes(b"")
    assert one.returncode == 0
    with alone(folder):
        assert names(folder) == [".lock", "found"]
    assert names(folder) == ["found"]


def test_alone_after_a_death(tmp_path: Path) -> None:
    """Who was killed has no folder any more, though its lock lies there."""
    with python(HOLDER, str(tmp_path)) as process:
        assert said(process) == "ours"
        process.kill()
    assert names(tmp_path) == [".lock"]
    with alone(tmp_path):
        pass
    assert names(tmp_path) == []


def test_a_folder_that_stays_empty_goes(tmp_path: Path) -> None:
    """A folder that was made for this and not used is not left behind."""
    with alone(tmp_path / "kept"):
        assert names(tmp_path / "kept") == [".lock"]
    assert names(tmp_path) == []


@pytest.mark.parametrize("processes", [6])
def test_one_of_many(tmp_path: Path, processes: int) -> None:
    """Of many that come at once one has the folder, however their locks come and go."""
    for _ in range(5):
        running = [python(HOLDER, str(tmp_path)) for _ in range(processes)]
        found = [said(process) for process in running]
        for process in running:
            process.communicate()
        assert found.count("ours") == 1
        assert len(set(found)) == 2
