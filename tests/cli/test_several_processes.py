"""Several runs at once in one folder: none does harm to another."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from kubelemma import recording
from kubelemma.remembering.folder import Folder

Kubelemma: TypeAlias = Callable[..., Any]
Write: TypeAlias = Callable[..., str]
Documents: TypeAlias = tuple[dict[str, Any], dict[str, Any]]

KUBELEMMA = (sys.executable, "-m", "kubelemma")


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A run as a process of its own."""
    return subprocess.Popen(
        [*KUBELEMMA, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def endless(
    write: Write, documents: Documents, tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[str], tuple[str, ...]]]:
    """A search that is kept and does not end by itself, and the check that it is of."""
    web, _ = documents
    web["spec"]["replicas"] = 5
    large = write("large.yaml", web)
    check = ("check", large, "--no-save", "--no-cache", "--engine", "compiled")
    check = (*check, "--event", "rollout=web", "--event", "node-crash=1")
    check = (*check, "--checkpoint", "kept", "--time-limit", "1h")
    with started(tmp_path, *check) as process:
        lock = tmp_path / "kept" / ".lock"
        while not lock.exists():
            assert process.poll() is None
            time.sleep(0.01)
        yield process, check
        process.kill()


def test_a_checkpoint_folder_in_use(
    kubelemma: Kubelemma, endless: tuple[subprocess.Popen[str], tuple[str, ...]], tmp_path: Path
) -> None:
    """A folder in which another run keeps its search is refused in a sentence, resumed or not."""
    process, check = endless
    for words in (check, (*check, "--resume")):
        run = kubelemma(*words)
        assert (run.code, run.out) == (2, "")
        assert run.err == (
            "kubelemma: kept is in use by another run: wait until that ends, or choose another "
            "folder for checkpoints\n"
        )
    assert process.poll() is None
    process.terminate()
    out, _ = process.communicate()
    assert process.returncode == 130
    assert "INCONCLUSIVE" in out
    assert not (tmp_path / "kept" / ".lock").exists()
    again = kubelemma(*check, "--resume", "--max-states", "10")
    assert again.code in (2, 3)  # more states are kept than may be; but the folder is free
    assert "in use" not in again.err


def test_one_cache_and_one_folder_of_traces(stuck: str, tmp_path: Path) -> None:
    """Runs that find the same at the same time say the same, and leave whole files only."""
    check = ("check", stuck, "-o", "json", "--report", "html=report.html", "--engine", "plain")
    running = [started(tmp_path, *check) for _ in range(4)]
    found = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [1] * 4
    assert {err for _, err in found} == {""}
    verdicts = {
        tuple(
            (p["id"], p["verdict"]) for s in json.loads(out)["scenarios"] for p in s["properties"]
        )
        for out, _ in found
    }
    assert len(verdicts) == 1
    kept = tmp_path / ".kubelemma"
    files = sorted(path for path in kept.rglob("*") if path.is_file())
    assert not [path for path in files if path.suffix == ".tmp"]
    cache = Folder(kept / "cache")
    entries = sorted(
        (kept / "cache").glob("*.json")
    )  # of the check, and of repairs that were tried
    assert entries
    assert all(cache.read(entry.stem) for entry in entries)
    for path in (kept / "traces").glob("*.json"):
        assert recording.load(path).name == path.stem
    assert (tmp_path / "report.html").read_text("utf-8").endswith("</html>\n")
