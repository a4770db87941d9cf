"""The GitHub Action: its own steps, run with bash as a runner does, on a repository of a user."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = ACTION["runs"]["steps"]
COMMANDS = Path(sys.executable).parent
BASH = shutil.which("bash") or ""
EXPRESSION = re.compile(r"\$\{\{ *(.+?) *\}\}")

pytestmark = pytest.mark.skipif(not BASH, reason="there is no bash")

GH = """#!{python}
# Stands for gh: keeps the comments of one pull request in a file.
import json, pathlib, re, sys

words = sys.argv[1:]
kept = pathlib.Path({comments!r})
comments = json.loads(kept.read_text()) if kept.exists() else []
if pathlib.Path({broken!r}).exists():
    sys.exit("gh: Resource not accessible by integration (HTTP 403)")
body = [pathlib.Path(w.removeprefix("body=@")).read_text() for w in words if "body=@" in w]
if "PATCH" in words:
    (path,) = [w for w in words if w.startswith("repos/some/app/issues/comments/")]
    comments[int(path.rpartition("/")[2])] = body[0]
elif "POST" in words:
    assert "repos/some/app/issues/7/comments" in words
    comments.append(body[0])
else:
    assert "repos/some/app/issues/7/comments" in words
    (start,) = re.findall(r'startswith\\("(.*?)"\\)', words[-1])
    print(*(i for i, text in enumerate(comments) if text.startswith(start)), sep="\\n")
kept.write_text(json.dumps(comments))
"""


@dataclass
class Runner:
    """A runner with one pull request, whose repository is ``folder``.

    It takes the steps that are shell scripts; those of other actions are nothing to us.
    """

    folder: Path
    inputs: dict[str, str]
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    log: str = ""
    action: str = str(ROOT)

    @property
    def temp(self) -> Path:
        """The folder for what is needed during the job."""
        return self.folder.parent / "runner temp"

    def value(self, expression: str) -> str:
        """The value of an expression of the contexts that the action uses."""
        context, _, rest = expression.partition(".")
        if context == "inputs":
            default = ACTION["inputs"][rest].get("default", "")
            return self.inputs.get(rest, EXPRESSION.sub("a-token", default))
        if context == "steps":
            step, _, name = rest.split(".")
            return self.outputs.get(step, {}).get(name, "")
        given = {"github.event.pull_request.number": "7", "github.action_path": self.action}
        return given[expression]

    def expanded(self, text: str) -> str:
        """The text with the values of its expressions."""
        return EXPRESSION.sub(lambda found: self.value(found[1]), text)

    def step(self, name: str) -> int:
        """Take the step of this name; gives its exit code."""
        (step,) = (step for step in STEPS if step.get("name") == name)
        files = {key: self.temp / key for key in ("GITHUB_OUTPUT", "GITHUB_PATH")}
        for file in files.values():
            file.parent.mkdir(exist_ok=True)
            file.write_text("", "utf-8")
        run = subprocess.run(
            [BASH, "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=self.environment(step, files),
        )
        self.log += run.stdout + run.stderr
        lines = files["GITHUB_OUTPUT"].read_text("utf-8").splitlines()
        self.outputs[step.get("id", name)] = dict(line.split("=", 1) for line in lines)
        self.path += files["GITHUB_PATH"].read_text("utf-8").splitlines()
        return run.returncode

    def environment(self, step: dict[str, Any], files: dict[str, Path]) -> dict[str, str]:
        """What the script of a step finds in its environment."""
        own = {key: self.expanded(value) for key, value in step.get("env", {}).items()}
        path = [*reversed(self.path), str(COMMANDS), os.environ["PATH"]]
        return {
            **{key: str(file) for key, file in files.items()},
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary.md"),
            "GITHUB_REPOSITORY": "some/app",
            "RUNNER_TEMP": str(self.temp),
            "PATH": os.pathsep.join(path),
            "HOME": str(self.temp),
            **own,
        }

    def summary(self) -> str:
        """The summary of the job."""
        return (self.temp / "summary.md").read_text("utf-8")


def executable(path: Path, text: str) -> None:
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with an application whose rollout gets stuck."""
    folder = tmp_path / "repository"
    shutil.copytree(ROOT / "examples" / "rollout-anti-affinity", folder / "my deploy")
    return folder


@pytest.fixture
def github(repository: Path) -> Runner:
    """A runner for it, whose ``gh`` writes comments to a file."""
    inputs = {"paths": "my deploy\n\n", "args": "--property DEP-4 --event 'rollout=web,max=1'"}
    runner = Runner(repository, inputs)
    files = {name: str(runner.temp / name) for name in ("comments", "broken")}
    executable(runner.temp / "bin" / "gh", GH.format(python=sys.executable, **files))
    runner.path.append(str(runner.temp / "bin"))
    return runner


def comments(runner: Runner) -> list[str]:
    """What the pull request has been told."""
    found: list[str] = json.loads((runner.temp / "comments").read_text("utf-8"))
    return found


def repair(repository: Path) -> None:
    """Repair the application."""
    repaired = ROOT / "examples" / "rollout-anti-affinity-repaired" / "deployment.yaml"
    shutil.copy(repaired, repository / "my deploy" / "deployment.yaml")


def test_a_pull_request_from_violation_to_repair(github: Runner) -> None:
    """The check fails with its reports out; after the repair it passes, in the same comment."""
    assert github.step("Check") == 0
    outputs = github.outputs["check"]
    assert outputs["exit-code"] == "1"
    reports = Path(outputs["reports"])
    kept = {path.relative_to(reports).as_posix() for path in reports.rglob("*") if path.is_file()}
    assert kept == {
        *("report.json", "report.html", "report.md", "junit.xml", "kubelemma.sarif", "errors.txt"),
        "traces/rollout-anti-affinity-DEP-4.json",
    }
    assert outputs["sarif"] == str(reports / "kubelemma.sarif")
    assert "::error file=my deploy/deployment.yaml,line=5," in github.log
    assert "DEP-4 violated" in github.summary()
    assert github.step("Comment on the pull request") == 0
    (told,) = comments(github)
    assert told.startswith("<!-- kubelemma comment: kubelemma -->\n")
    assert "❌ kubelemma: FAILED: 1 check, every state (5): DEP-4 violated" in told.replace(
        "\\", ""
    )
    assert github.step("Result") == 1

    repair(github.folder)
    assert github.step("Check") == 0
    assert github.step("Comment on the pull request") == 0
    (told,) = comments(github)
    assert "✅" in told
    assert github.step("Result") == 0


def test_input_that_cannot_be_read(github: Runner) -> None:
    """What is wrong with the input is told everywhere, and nothing looks like a success."""
    (github.folder / "my deploy" / "deployment.yaml").write_text("kind: [", "utf-8")
    assert github.step("Check") == 0
    assert github.outputs["check"]["exit-code"] == "2"
    assert "sarif" not in github.outputs["check"]
    assert github.step("Comment on the pull request") == 0
    (told,) = comments(github)
    for text in (github.log, github.summary(), told):
        assert "my deploy/deployment.yaml:1" in text
    assert "could not check" in told
    assert github.step("Result") == 2


def test_no_comment_where_nothing_is_wrong(github: Runner) -> None:
    """A pull request that breaks nothing is left alone."""
    repair(github.folder)
    assert github.step("Check") == 0
    assert github.step("Comment on the pull request") == 0
    assert comments(github) == []


def test_several_uses_have_their_comments(github: Runner) -> None:
    """Another name has a comment and reports of its own."""
    for name in ("kubelemma", "staging"):
        github.inputs["name"] = name
        assert github.step("Check") == 0
        for _ in range(2):
            assert github.step("Comment on the pull request") == 0
    assert [told.partition("\n")[0] for told in comments(github)] == [
        "<!-- kubelemma comment: kubelemma -->",
        "<!-- kubelemma comment: staging -->",
    ]


def test_a_comment_that_is_not_allowed(github: Runner) -> None:
    """A pull request from a fork cannot be commented on, which is a warning and no failure."""
    (github.temp / "broken").touch()
    github.inputs["fail-on"] = "critical"
    assert github.step("Check") == 0
    assert github.step("Comment on the pull request") == 0
    assert "::warning title=kubelemma::The pull request could not be commented on." in github.log


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"fail-on": "sometimes"}, "Invalid value for '--fail-on'"),
        ({"paths": ""}, "nothing to check"),
        ({"args": "--max-states 0"}, "Invalid value for '--max-states'"),
        (
            {"paths": "$(touch pwned)\n`touch pwned`", "args": "--workload '$(touch pwned)'"},
            "pwned",
        ),
    ],
)
def test_inputs_are_passed_on_as_they_are(
    github: Runner, inputs: dict[str, str], said: str
) -> None:
    """Each input reaches the command, which says what is wrong with it; none reaches the shell."""
    github.inputs |= inputs
    assert github.step("Check") == 0
    assert github.outputs["check"]["exit-code"] == "2"
    assert said in github.log
    assert not (github.folder / "pwned").exists()


@pytest.mark.parametrize(("code", "said"), [(3, "Inconclusive"), (70, "exit code 70")])
def test_no_other_end_is_a_success(github: Runner, code: int, said: str) -> None:
    """The job ends with the exit code of the check, and one sentence about it."""
    github.outputs["check"] = {"exit-code": str(code)}
    assert github.step("Result") == code
    assert said in github.log


PYTHON = """#!/bin/sh
echo "$NUMBA_CPU_NAME ${NUMBA_CACHE_DIR#"$RUNNER_TEMP"} ${PIP_CACHE_DIR#"$RUNNER_TEMP"} $*" \\
  >> "$RUNNER_TEMP/calls"
if [ "$2" = venv ]; then
  package="$3/lib/python3/site-packages/kubelemma"
  mkdir -p "$3/bin" "$package"
  cp "$0" "$3/bin/python"
  echo > "$package/api.py"
fi
"""
"""Stands for Python: writes down how it is called, and makes an environment."""


@pytest.fixture
def python(github: Runner) -> Path:
    """The Python of the runner."""
    path = github.temp / "python"
    executable(path, PYTHON)
    github.outputs["python"] = {"python-path": str(path)}
    return path


def calls(runner: Runner) -> list[str]:
    """How Python was called."""
    return (runner.temp / "calls").read_text("utf-8").splitlines()


@pytest.mark.usefixtures("python")
def test_what_is_installed(github: Runner) -> None:
    """What the action comes with, with packages from the cache, and sources of one time."""
    assert github.step("Install kubelemma") == 0
    made, installed = calls(github)
    assert made == f"  /kubelemma-code/pip -m venv {github.temp}/kubelemma"
    assert installed.startswith("  /kubelemma-code/pip -m pip install ")
    assert installed.endswith(f" {ROOT}")
    assert github.path[-1] == f"{github.temp}/kubelemma/bin"
    (source,) = (github.temp / "kubelemma").rglob("api.py")
    assert source.stat().st_mtime == datetime(2000, 1, 1, tzinfo=UTC).timestamp()


@pytest.mark.usefixtures("python")
def test_the_engine_is_compiled_once(github: Runner) -> None:
    """It is compiled for any processor, where the check looks for it, and old code is gone."""
    assert github.step("Install kubelemma") == 0
    old = github.temp / "kubelemma-code" / "numba" / "old"
    executable(old, "")
    assert github.step("Compile the engine") == 0
    assert not old.exists()
    assert calls(github)[-1].startswith("generic /kubelemma-code/numba  -c from kubelemma.solver.")
    (check,) = (step["run"] for step in STEPS if step.get("name") == "Check")
    (compiling,) = (step["run"] for step in STEPS if step.get("name") == "Compile the engine")
    assert check.splitlines()[0] == compiling.splitlines()[0]


def test_what_is_compiled_is_kept_by_its_sources(github: Runner, tmp_path: Path) -> None:
    """The key is the same for the same sources, and another for others."""
    action = tmp_path / "action"
    for name in ("model", "properties", "reports", "solver", "src"):
        (action / name).mkdir(parents=True)
        (action / name / "a.py").write_text("", "utf-8")
    (action / "pyproject.toml").write_text("", "utf-8")
    github.action = str(action)

    def key() -> str:
        assert github.step("Look at the sources") == 0
        return github.outputs["sources"]["key"]

    first = key()
    (action / "model" / "notes.md").write_text("", "utf-8")
    assert key() == first
    assert re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9a-f]{64}", first)
    (action / "solver" / "b.py").write_text("", "utf-8")
    assert key() != first
