"""What the plugin of pytest prints and documents, and what it costs those who do not use it."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytest_plugins = ("pytester",)
pytestmark = pytest.mark.usefixtures("imported")

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"hypothesis", "msgspec", "networkx", "numba", "numpy", "yaml", "kubelemma.api"}
"""What nobody should pay for who does not use kubelemma."""

# Programs of machines

MACHINE = """
from hypothesis import settings
from kubelemma.testing import ControlPlane


class Stuck(
    ControlPlane,
    given="web.yaml",
    nodes="count=3,cpu=4,memory=8Gi",
    events="rollout=web",
    properties=["DEP-4"],
):
    pass


TestStuck = Stuck.TestCase
TestStuck.settings = settings(TestStuck.settings, max_examples=10, derandomize=True, database=None)
"""


def test_program_has_no_margin(project: pytest.Pytester) -> None:
    """The program of a failing machine is printed such that it can be pasted."""
    project.makepyfile(test_stuck=MACHINE)
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    printed = result.stdout.str().partition("- A program that repeats it -")[2].partition("\n")[2]
    program = printed.partition("\n=====")[0]
    assert program.startswith('"""DEP-4 is violated for Deployment default/web')
    compile(program, "program.py", "exec")


def test_program_without_the_plugin(project: pytest.Pytester) -> None:
    """Under unittest Hypothesis prints it."""
    (project.path / "test_stuck.py").write_text(textwrap.dedent(MACHINE), "utf-8")
    result = project.run(sys.executable, "-m", "unittest", "test_stuck.TestStuck")
    result.stderr.fnmatch_lines(["A program that repeats it:", "run.assert_keeps('DEP-4', *"])


# The documentation

DOCUMENT = (ROOT / "docs" / "testing.md").read_text("utf-8")
BLOCK = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """The blocks of the document in one language."""
    return [text for name, text in BLOCK.findall(DOCUMENT) if name == language]


def test_documented_examples(project: pytest.Pytester) -> None:
    """The examples of the document pass, and pytest prints what the document shows."""
    folder = project.mkdir("deploy")
    for name, text in zip(("web.yaml", "web.check.yaml"), blocks("yaml"), strict=True):
        (folder / name).write_text(text, "utf-8")
    shown = next(text for text in blocks("") if text.startswith("$ pytest -v deploy/\n"))
    result = project.runpytest("-v", "deploy/")
    printed = [" ".join(line.split()[:2]) for line in result.outlines if "::" in line]
    assert printed[: len(shown.splitlines()) - 1] == shown.splitlines()[1:]
    for number, text in enumerate(blocks("python")):
        (project.path / f"test_{number}.py").write_text(text, "utf-8")
    result = project.runpytest("-q", *(f"test_{n}.py" for n in range(len(blocks("python")))))
    result.assert_outcomes(passed=9)


def test_settings_are_documented(project: pytest.Pytester) -> None:
    """The document has every option and setting, with its default."""
    result = project.runpytest("--help")
    found = set(re.findall(r"--kubelemma-[a-z-]+|kubelemma_[a-z_]+", result.stdout.str()))
    assert len(found) == 11
    assert [name for name in sorted(found) if name not in DOCUMENT] == []


# Those who do not use it


def test_costs_nothing() -> None:
    """Loading the plugin imports nothing heavy."""
    script = "import sys, kubelemma.testing.plugin; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert HEAVY & set(loaded.stdout.split()) == set()


def test_turned_off(project: pytest.Pytester) -> None:
    """Without the plugin nothing is collected, and nothing breaks."""
    for name, text in zip(("web.yaml", "web.check.yaml"), blocks("yaml"), strict=True):
        (project.path / name).write_text(text, "utf-8")
    project.makepyfile("def test_plain(): pass")
    result = project.runpytest("-p", "no:kubelemma")
    result.assert_outcomes(passed=1)


def test_own_files_are_no_tests() -> None:
    """Nothing in this project is collected as a scenario by surprise."""
    assert list((ROOT / "examples").rglob("*.check.y*ml")) == []
