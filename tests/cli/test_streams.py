"""Streams that are closed or full, folders that are gone, and signals: the process around a run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

Write: TypeAlias = Callable[..., str]

KUBELEMMA = (sys.executable, "-m", "kubelemma")
FULL = Path("/dev/full")


def shell(script: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which ``"$@"`` is kubelemma with these arguments."""
    return subprocess.run(
        ["/bin/sh", "-c", script, "sh", *KUBELEMMA, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_closed_streams(stuck: str, tmp_path: Path, closed: str) -> None:
    """A stream that the caller has closed changes nothing about the exit code."""
    check = ("check", stuck, "--property", "DEP-4", "--no-save", "--engine", "plain")
    run = shell(f'"$@" {closed}', *check, folder=tmp_path)
    assert (run.returncode, run.stderr) == (1, "")


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
def test_full_standard_output(tmp_path: Path) -> None:
    """A report that cannot be written is no success, and no internal error."""
    run = shell('"$@" > /dev/full', "properties", "list", folder=tmp_path)
    assert (run.returncode, run.stderr) == (
        2,
        "Error: standard output: No space left on device\n",
    )


def test_working_directory_is_gone(tmp_path: Path) -> None:
    """Where there is no working directory, that is said."""
    (tmp_path / "gone").mkdir()
    run = shell('cd gone && rmdir ../gone && "$@"', "properties", "list", folder=tmp_path)
    assert run.returncode == 2
    assert "kubelemma: the working directory is gone" in run.stderr


def test_sigterm_reports(write: Write, documents: tuple[Any, Any], tmp_path: Path) -> None:
    """What a server ends because it takes too long reports what it found out, as after Ctrl-C."""
    web, _ = documents
    web["spec"]["replicas"] = 4
    large = write("large.yaml", web)
    with subprocess.Popen(
        [*KUBELEMMA, "check", large, "--no-cache", "--no-save", "--engine", "plain", "-v"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("exploring ")
        process.terminate()
        out, _ = process.communicate()
    assert process.returncode == 130
    assert "INCONCLUSIVE: 4 checks of 1 workload, " in out


INTERRUPTED_EARLY = """
from kubelemma.cli import run

def interrupted(*_):
    try:
        exec("raise KeyboardInterrupt")  # as while a module makes a type
    except KeyboardInterrupt:
        print("so far")
    return 130

run.run = interrupted
"""


def test_an_interrupt_at_a_bad_moment(tmp_path: Path) -> None:
    """It ends with the exit code of all interrupts, and what was printed is there.

    CPython takes such an interrupt for one that nobody has handled.
    """
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTED_EARLY, "utf-8")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    run = subprocess.run(
        KUBELEMMA,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (130, "so far\n")
