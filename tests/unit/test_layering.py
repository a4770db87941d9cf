"""Which part may know which: the one-way flow from the model to the command line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "kubelemma"

ALLOWED = {
    "model": {"model"},
    "properties": {"properties", "model"},
    "files": {"files"},
    "solver": {"solver", "properties", "model", "files"},
    "reports": {"reports", "solver", "properties", "model"},
    "policy": {"policy", "reports", "solver", "properties", "model"},
    "extending": {"properties", "model"},
    "loading": {"properties", "model"},
    "applying": {"model"},
    "asked": {"applying", "loading", "policy", "properties", "model"},
    "mentions": {"leaving_open", "properties", "model"},
    "scope": {"asked", "applying", "mentions", "loading", "policy", "properties", "model"},
    "reader": {"applying", "model"},
    "repairs": {"asked", "leaving_open", "reports", "solver", "properties", "model"},
    "vacuous": {"solver", "properties", "model"},
    "question": {"asked", "scope", "reader", "applying", "loading", "properties", "model"},
    "smaller": {"asked", "leaving_open", "solver"},
    "leaving_open": {"asked", "solver", "properties", "model"},
    "recording": {"solver", "properties", "model", "files"},
    "remembering": {"remembering", "question", "recording"}
    | {"solver", "properties", "model", "files", ""},
    "placing": {"placing", "reports", "solver", "model", ""},
    "runs": {"runs", "reports", "model"},
    "api": {"loading", "policy", "question", "recording", "remembering", "smaller", "vacuous"}
    | {"leaving_open"}
    | {"reports", "solver", "properties", "model", "files", ""},
    "settings": {"model"},
    "cli": {"cli", "loading", "api", "policy", "settings", "placing", "question", "recording"}
    | {"remembering", "repairs", "reports", "runs"}
    | {"solver", "properties", "model", "files", ""},
    "testing": {"testing", "api", "cli", "policy", "recording", "remembering", "reports", "solver"}
    | {"properties", "model", ""},
    "__main__": {"cli"},
    "": set[str](),
}
"""A layer, and whom it may import; "" is the package itself, which holds the version."""

RESULT_TYPES = {
    "kubelemma.solver.result",
    "kubelemma.solver.events",
    "kubelemma.solver.placement.decision",
    "kubelemma.solver.placement.problem",
}


def module_name(path: Path) -> str:
    """The dotted name of a module file."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def module_files() -> dict[str, Path]:
    """All modules of the package by name, the linked folders included."""
    links = [link for link in sorted(PACKAGE.iterdir()) if link.is_dir()]
    inside = [
        PACKAGE / link.name / p.relative_to(link) for link in links for p in link.rglob("*.py")
    ]
    return {module_name(path): path for path in [*PACKAGE.glob("*.py"), *inside]}


MODULES = module_files()


def tree(name: str) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(MODULES[name].read_text("utf-8"))


def layer(name: str) -> str:
    """The layer of a module of the package."""
    return name.split(".")[1] if "." in name else ""


def imports(name: str) -> Iterator[str]:
    """The modules of the package that a module imports, wherever in it."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(name, node)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                if inner in MODULES or base in MODULES:
                    yield inner if inner in MODULES else base


def absolute(name: str, node: ast.ImportFrom) -> str:
    """The dotted name that a ``from`` import refers to."""
    if not node.level:
        return node.module or ""
    is_package = MODULES[name].name == "__init__.py"
    parts = name.split(".")
    base = parts[: len(parts) - node.level + is_package]
    return ".".join([*base, *([node.module] if node.module else [])])


def test_all_layers_are_found() -> None:
    """The test looks at every layer, so that a moved folder cannot make it vacuous."""
    assert {layer(name) for name in MODULES} == set(ALLOWED)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_go_one_way(name: str) -> None:
    """A module imports only what its layer may know."""
    against = {found for found in imports(name) if layer(found) not in ALLOWED[layer(name)]}
    assert against == set()


@pytest.mark.parametrize("name", sorted(MODULES))
def test_modules_are_short(name: str) -> None:
    """What does not fit into 600 lines is more than one thing."""
    assert len(MODULES[name].read_text("utf-8").splitlines()) < 600


@pytest.mark.parametrize("path", sorted(ROOT.glob("tests/**/*.py")), ids=lambda path: path.name)
def test_tests_are_short(path: Path) -> None:
    """So it is with tests."""
    assert len(path.read_text("utf-8").splitlines()) < 600


def test_reports_know_results_only() -> None:
    """Of the solver, reports and policy know the types of results and events, never an engine."""
    after = [name for name in MODULES if layer(name) in {"reports", "policy"}]
    known = {found for name in after for found in imports(name)}
    assert {found for found in known if layer(found) == "solver"} <= RESULT_TYPES


def test_testing_knows_the_command_line_in_one_place() -> None:
    """Of what tests use, only what starts with pytest takes options where the command line does."""
    knowing = [n for n in MODULES if layer(n) == "testing" and "cli" in map(layer, imports(n))]
    assert knowing == ["kubelemma.testing.session"]


def test_no_cycles() -> None:
    """The imports between modules form no cycle."""
    graph = {name: set(imports(name)) - {name} for name in MODULES}
    order = list(TopologicalSorter(graph).static_order())
    assert set(order) == set(MODULES)


def talks(node: ast.AST) -> bool:
    """Whether an expression writes to a standard stream."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in {"print", "click.echo", "click.secho"}
    return isinstance(node, ast.Attribute) and ast.unparse(node) in {"sys.stdout", "sys.stderr"}


@pytest.mark.parametrize("name", sorted(n for n in MODULES if layer(n) not in {"cli", "__main__"}))
def test_nothing_prints_below_the_command_line(name: str) -> None:
    """Only the command line writes to the standard streams."""
    assert [node.lineno for node in ast.walk(tree(name)) if talks(node)] == []  # type: ignore[attr-defined]


WRITERS = {
    "kubelemma.files": "which is the one function",
    "kubelemma.cli.output": "adds to the summary of a CI step, which others write to, too",
    "kubelemma.model.manifests.kustomize": "asks kustomize by a file in a folder of the moment",
    "kubelemma.solver.compiled.checkpoint": "appends to columns, of which a whole file says what "
    "counts",
    "kubelemma.solver.compiled.warming": "makes the file of a lock, which holds nothing",
}
"""Who may open a file to write to it, and why."""


def opens_to_write(node: ast.AST) -> bool:
    """Whether an expression writes to a file by itself."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute | ast.Name):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
    modes = [str(a.value) for a in node.args if isinstance(a, ast.Constant)]
    opened = name in {"open", "fdopen"} and any(re.fullmatch(r"[wax]b?\+?|r\+b?", m) for m in modes)
    return name in {"write_text", "write_bytes", "tofile"} or opened


def test_one_function_writes_files() -> None:
    """All others have files written whole, by the function that does."""
    writing = {name for name in MODULES if any(map(opens_to_write, ast.walk(tree(name))))}
    assert writing - {"kubelemma.__main__"} == set(WRITERS)  # which opens a stream to nowhere
