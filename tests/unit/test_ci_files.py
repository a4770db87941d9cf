"""The files by which others run kubelemma: action, hook, image, and what the documents show."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from pre_commit.clientlib import load_config, load_manifest

from kubelemma import __version__
from kubelemma.cli.commands import cli

ROOT = Path(__file__).resolve().parents[2]
ACTION_TEXT = (ROOT / "action.yml").read_text("utf-8")
ACTION = yaml.safe_load(ACTION_TEXT)
HOOKS = ROOT / ".pre-commit-hooks.yaml"
DOCUMENT = (ROOT / "docs" / "ci.md").read_text("utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
SNIPPETS = re.findall(r"^```yaml\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)


def snippet(key: str) -> str:
    """The YAML in the document that has this key at its top."""
    (found,) = (text for text in SNIPPETS if key in yaml.safe_load(text))
    return found


def valid(schema: str, *files: Path) -> None:
    """Hold files against one of the schemas that servers publish."""
    tool = Path(sys.executable).parent / "check-jsonschema"
    command = [str(tool), "--builtin-schema", f"vendor.{schema}", *map(str, files)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_action_is_valid() -> None:
    """The action is one, by the schema of actions."""
    valid("github-actions", ROOT / "action.yml")


@pytest.mark.parametrize(
    ("schema", "key"), [("github-workflows", "jobs"), ("gitlab-ci", "kubelemma")]
)
def test_documented_pipelines_are_valid(tmp_path: Path, schema: str, key: str) -> None:
    """What the document shows can be taken as it is."""
    path = tmp_path / "pipeline.yml"
    path.write_text(snippet(key), "utf-8")
    valid(schema, path)


def references(context: str) -> Iterator[str]:
    """What the action's expressions take from a context."""
    for expression in re.findall(r"\$\{\{(.*?)\}\}|^ +-? *if: (.*)$", ACTION_TEXT, re.MULTILINE):
        yield from re.findall(rf"\b{context}\.([\w-]+)", "".join(expression))


def test_action_refers_to_what_is_there() -> None:
    """Every input is used, and no expression names an input or a step that is not there."""
    assert set(references("inputs")) == set(ACTION["inputs"])
    assert set(references("steps")) <= {step.get("id") for step in ACTION["runs"]["steps"]}


def test_action_has_no_expression_in_a_script() -> None:
    """Inputs reach scripts through their environment, where no quote of theirs ends anything."""
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert scripts
    assert not any("${{" in script for script in scripts)


def test_actions_are_pinned() -> None:
    """Other actions are named by whole commits, with the release that each is, here and on pages.

    So is every tag of ours in the documents that of this version.
    """
    for text in (ACTION_TEXT, DOCUMENT):
        used = re.findall(r"uses: (\S+)@(\S+)(?: # (v\d+\.\d+\.\d+))?$", text, re.MULTILINE)
        others = [(commit, tag) for name, commit, tag in used if "kubelemma" not in name]
        assert others
        assert all(re.fullmatch(r"[0-9a-f]{40}", commit) and tag for commit, tag in others)
        assert len({(name.split("/")[1], commit) for name, commit, _ in used}) == len(
            {name.split("/")[1] for name, _, _ in used}
        )


def test_it_is_installed_from_its_repository() -> None:
    """Nobody is told to ask a registry for it; the tag that is named is that of this version."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    pages += [ROOT / "action.yml", ROOT / "Dockerfile", HOOKS]
    texts = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in pages}
    for text in texts.values():
        assert not re.search(r"pip install (?:-\S+ )*[\"']?kubelemma|kubelemma==", text)
        tags = re.findall(r"(?:kubelemma(?:\.git)?[@#]|rev: )(v[\d.]+\d)", text)
        assert set(tags) <= {f"v{__version__}"}
    for name in ("README.md", "docs/ci.md", "Dockerfile", ".pre-commit-hooks.yaml"):
        assert f"v{__version__}" in texts[name]


def test_action_is_documented() -> None:
    """The inputs and their defaults are in the document's table, and its workflow uses these."""
    for name, given in ACTION["inputs"].items():
        (row,) = re.findall(rf"^\| `{name}` \| (.*?) \|", DOCUMENT, re.MULTILINE)
        default = given.get("default", "")
        assert default in ("", "${{ github.token }}") or row == f"`{default}`"
    (job,) = yaml.safe_load(snippet("jobs"))["jobs"].values()
    assert set(job["steps"][-1]["with"]) <= set(ACTION["inputs"])


def test_hook_is_valid(tmp_path: Path) -> None:
    """pre-commit reads the manifest, and the configuration that the document shows fits it."""
    (hook,) = load_manifest(str(HOOKS))
    path = tmp_path / "config.yaml"
    path.write_text(snippet("repos"), "utf-8")
    (repository,) = load_config(str(path))["repos"]
    (used,) = repository["hooks"]
    assert used["id"] == hook["id"]
    assert (hook["language"], hook["pass_filenames"]) == ("python", False)


def test_hook_runs_a_command() -> None:
    """What the hook runs is a command, with options that it takes."""
    (hook,) = load_manifest(str(HOOKS))
    program, name, *_ = hook["entry"].split()
    command = cli.commands[name]
    assert program == "kubelemma"
    flags = {flag for parameter in command.params for flag in parameter.opts}
    args = yaml.safe_load(snippet("repos"))["repos"][0]["hooks"][0]["args"]
    assert {arg for arg in args if arg.startswith("-")} <= flags


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """The instructions of a Dockerfile, with their arguments on one line."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, argument = line.partition(" ")
        yield name, argument


def test_image() -> None:
    """The image runs the command, as somebody who is not root, and has what was compiled."""
    stages: list[dict[str, str]] = []
    for name, argument in instructions(DOCKERFILE):
        if name == "FROM":
            stages.append({})
        elif stages:
            stages[-1][name] = argument
    build, last = stages
    user = last["USER"]
    compiled = dict(pair.split("=") for pair in build["ENV"].split())
    assert last["ENTRYPOINT"] == '["kubelemma"]'
    assert int(user.partition(":")[0]) > 0
    assert compiled.items() <= dict(pair.split("=", 1) for pair in last["ENV"].split()).items()
    cache = compiled["NUMBA_CACHE_DIR"]
    assert last["COPY"] == f"--from=build --chown={user} {cache} {cache}"


def test_image_has_the_engine_compiled() -> None:
    """What the build calls to compile the engine is there."""
    ((module, function),) = re.findall(r"'from (\S+) import (\w+); \2\(\)'", DOCKERFILE)
    assert callable(getattr(import_module(module), function))


def test_image_is_built_from_what_the_package_needs() -> None:
    """All that the build reads passes .dockerignore, which lets nothing else in."""
    text = re.sub(r"^#.*\n", "", (ROOT / ".dockerignore").read_text("utf-8"), flags=re.MULTILINE)
    lines = text.splitlines()
    kept = {line[1:] for line in lines if line.startswith("!")}
    package = ROOT / "src" / "kubelemma"
    linked = {link.resolve().name for link in package.iterdir() if link.is_symlink()}
    assert lines[0] == "*"
    assert kept == {"src", "LICENSE", "README.md", "pyproject.toml", *linked}


@pytest.mark.parametrize(
    "path", ["action.yml", ".pre-commit-hooks.yaml", "Dockerfile", "docs/ci.md"]
)
def test_no_registry_is_named(path: str) -> None:
    """Where packages come from is the business of whoever installs them."""
    text = (ROOT / path).read_text("utf-8")
    assert re.findall(r"\b(?:pypi|docker|ghcr|quay)\.(?:org|io|com)\b|--index-url", text) == []
