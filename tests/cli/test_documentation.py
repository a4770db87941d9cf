"""The documents and the command line say the same."""

from __future__ import annotations

import importlib.util
import math
import posixpath
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import click
import pytest
import yaml

from kubelemma.cli.commands import cli
from kubelemma.cli.exit import ExitCode
from kubelemma.cli.options import FORMATS
from kubelemma.model.manifests.check import CheckSpec, EventEntry, event_names
from kubelemma.model.manifests.flags import parse_event, parse_nodes
from kubelemma.model.manifests.groups import Cluster, NodeGroup
from kubelemma.model.manifests.options import (
    Bounds,
    ControllerManagerOptions,
    Faults,
    SchedulerOptions,
)
from kubelemma.model.objects.decode import decode

Kubelemma: TypeAlias = Callable[..., Any]

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
OPTIONS = (ROOT / "docs/options.md").read_text("utf-8")
PROPERTIES = sorted((ROOT / "docs/properties").glob("*.md"))
README_DEPLOYMENT = ROOT / "examples/rollout-anti-affinity/deployment.yaml"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])

INVOCATION = re.compile(
    r"(?:^|[`$ ])(?:\.venv/bin/)?kubelemma ((?:[a-z]+ ?)?[^`\n#|]*)", re.MULTILINE
)
FLAG = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")


def commands(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """All commands below one, by what has to be typed."""
    yield name, command
    if isinstance(command, click.Group):
        for part, inner in command.commands.items():
            yield from commands(inner, f"{name} {part}".strip())


COMMANDS = dict(commands(cli))
LEAVES = {name: c for name, c in COMMANDS.items() if not isinstance(c, click.Group)}


def flags(command: click.Command) -> set[str]:
    """The options that a command takes."""
    own = {o for p in command.params for o in (*p.opts, *p.secondary_opts) if o.startswith("-")}
    return own | {"-h", "--help"}


def meant(text: str) -> tuple[str, click.Command] | None:
    """The command that an invocation in a document means; None where it is only a word."""
    words = text.split()
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in COMMANDS and name:
            return name, COMMANDS[name]
    return None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documented_options_exist(document: Path) -> None:
    """Every option that a document shows with a command is one that the command takes."""
    for found in INVOCATION.finditer(document.read_text("utf-8")):
        command = meant(found[1])
        if command is not None:
            name, known = command
            unknown = set(FLAG.findall(found[1])) - flags(known)
            assert unknown == set(), f"{document.name}: kubelemma {name}: {unknown}"


@pytest.mark.parametrize("name", LEAVES)
def test_commands_are_documented(name: str) -> None:
    """Every command has its place in the README."""
    assert f"kubelemma {name}" in README


@pytest.mark.parametrize("flag", sorted(flags(COMMANDS["check"])))
def test_options_of_check_are_documented(flag: str) -> None:
    """Every option of the main command is in the table of options."""
    assert re.search(rf"(?<![\w-]){flag}(?![\w-])", OPTIONS)


def test_exit_codes_are_documented() -> None:
    """Every exit code is in the table of the README, and in the help."""
    for code in ExitCode:
        assert f"| {code.value} |" in README
        assert re.search(rf"^ +{code.value}  ", cli.epilog or "", re.MULTILINE)


def test_formats_are_documented() -> None:
    """Every format is in the table of options."""
    assert all(f"`{name}`" in OPTIONS for name in FORMATS)


def tool(name: str) -> ModuleType:
    """A script of tools/."""
    spec = importlib.util.spec_from_file_location(f"tools_{name}", ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SHOWN = tool("shown_output")


@pytest.mark.parametrize("page", SHOWN.pages(), ids=lambda path: path.name)
def test_shown_output_is_real(kubelemma: Kubelemma, tmp_path: Path, page: Path) -> None:
    """What a page shows is what the command prints, but for what it leaves out."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    text = page.read_text("utf-8")
    assert SHOWN.refreshed(text, lambda arguments: kubelemma(*arguments).out) == text, (
        "run: make pages"
    )


def test_parts_of_an_output() -> None:
    """Parts stay as long as they are, and begin or end where they did."""
    output = "a\nb\nc\nd\ne\nf\n"
    for shown, again in (
        ("x\ny\n", output),
        ("x\n...\ny\nz\n", "a\n...\ne\nf\n"),
        ("x\n...\n", "a\n...\n"),
        ("x\n...\nc\nx\n...\n", "a\n...\nc\nd\n...\n"),
        ("x\n...\nc\n...\nx\n", "a\n...\nc\n...\nf\n"),
    ):
        assert SHOWN.cut(output, shown) == again
    with pytest.raises(SystemExit, match="nothing prints this line any more"):
        SHOWN.cut(output, "a\n...\nx\n...\n")


def test_the_readme_is_short() -> None:
    """It fits on three screens, and has the commands to begin with, and what the jobs print."""
    lines = README.splitlines()
    assert sum(max(1, math.ceil(len(line) / 100)) for line in lines) <= 170
    for job in ("check", "place"):
        assert f"\n$ kubelemma {job} examples/" in README
    assert "--report html=report.html" in README
    for command in ("make demo", "make test"):
        assert re.search(rf"^{command} +#", README, re.MULTILINE)


SITE = tool("site_pages")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.parametrize("page", [*DOCUMENTS, *PROPERTIES], ids=lambda path: path.name)
def test_links_lead_somewhere_on_the_site(page: Path) -> None:
    """Each page of the site links to pages of the site, wherever they lie in the repository."""
    path = page.relative_to(ROOT).as_posix()
    uri = SITE.ON_TOP.get(path, path.removeprefix("docs/"))
    there = {
        *SITE.ON_TOP.values(),
        *SITE.DOWNLOADS.values(),
        *(path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")),
        *(f"examples/{name}.md" for name in SITE.examples()),
    }
    targets = LINK.findall(SITE.relinked(page.read_text("utf-8"), uri))
    found = {posixpath.normpath(posixpath.join(posixpath.dirname(uri), t)) for t in targets}
    assert found - there == set()


@pytest.mark.parametrize("name", SITE.examples())
def test_examples_are_on_the_site(name: str) -> None:
    """Each example has a page, with all its files as they are."""
    text = SITE.example_page(name)
    for path in (ROOT / "examples" / name).rglob("*.yaml"):
        assert path.read_text("utf-8").rstrip("\n") in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link of a document leads to a file."""
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text("utf-8"))
    assert [t for t in targets if not (document.parent / t).exists()] == []


SCENARIOS = (ROOT / "docs/scenarios.md").read_text("utf-8")
PAIR = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \|", re.MULTILINE)
SPEC = re.compile(r"^\| `([a-zA-Z.]+)` \| ", re.MULTILINE)


def section(title: str) -> str:
    """What the page about scenarios says below a heading."""
    return SCENARIOS.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_events_are_documented() -> None:
    """All events are listed, and mean the same in a scenario and as an option.

    With options the input is what is applied, and no event says so.
    """
    rows = PAIR.findall(section("Events"))
    for written, option in rows:
        assert decode(yaml.safe_load(written), EventEntry) == parse_event(option)
    listed = {written.partition(":")[0] for written, _ in rows}
    assert listed == set(event_names()) - {"apply"}
    assert "`apply: {resources:" in section("Events")


def test_nodes_are_documented() -> None:
    """All fields of a group of nodes are listed, and mean the same as an option.

    Static pods are named in a scenario only.
    """
    rows = PAIR.findall(section("Nodes"))
    for written, option in rows:
        group = yaml.safe_load(written)
        least = {} if "count" in group or "zones" not in group else {"count": 3}
        text = ",".join([option, *(f"{key}={value}" for key, value in least.items())])
        assert decode({**group, **least}, NodeGroup) == parse_nodes(text)
    fields = {written.partition(":")[0] for written, _ in rows}
    assert fields == set(NodeGroup.__struct_encode_fields__) - {"staticPods"}
    assert "`staticPods: [" in section("Nodes")


def test_fields_of_scenarios_are_documented() -> None:
    """All fields of a scenario are listed, those of its parts with their path."""
    parts = {
        "cluster": Cluster,
        "scheduler": SchedulerOptions,
        "controllerManager": ControllerManagerOptions,
        "faults": Faults,
        "bounds": Bounds,
    }
    fields = {
        path
        for name in CheckSpec.__struct_encode_fields__
        for path in (
            [f"{name}.{inner}" for inner in parts[name].__struct_encode_fields__]
            if name in parts
            else [name]
        )
    }
    assert set(SPEC.findall(section("Fields of spec"))) == fields


def test_the_documented_scenario_is_one(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """The example is accepted as it stands."""
    (tmp_path / "rollout.check.yaml").write_text(
        SCENARIOS.partition("```yaml\n")[2].partition("```")[0], "utf-8"
    )
    deployment = README_DEPLOYMENT.read_text("utf-8")
    (tmp_path / "deployment.yaml").write_text(deployment, "utf-8")
    run = kubelemma("check", "rollout.check.yaml", "--max-states", "1", "--no-save")
    assert (run.code, run.err) == (3, "")
