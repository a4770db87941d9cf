"""Every decision is made by something that is explored: what no rule calls is not there.

A walk over the syntax of the model, from the function that assembles systems. A name stands for
whatever it is bound to; a method counts as called if something reached asks any object for an
attribute of its name. So more may count as called than is, never less.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("model", "properties", "solver", "reports")
MODEL = "kubelemma.model"
DECIDING = re.compile(rf"{MODEL}\.components\.\w+\.(decision|budget)(\.|$)")
"""The modules that decide: nothing in them knows of cells."""

RULES = frozenset({f"{MODEL}.scenario.assembly.assemble"})
"""What is explored: rules, tallies, bests and bounds of every system come from here."""


class Definition(NamedTuple):
    """A function, a class, a method, or what a module binds to a name; its dotted name is its key.

    ``module`` is where its names mean something; ``owner`` the class of a method.
    """

    module: str
    node: ast.AST
    owner: str = ""


@cache
def files() -> Mapping[str, Path]:
    """The files of all modules of the package, by dotted name."""
    folders = [ROOT / "src" / "kubelemma", *(ROOT / name for name in FOLDERS)]
    found = {}
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder.parent).with_suffix("").parts
            prefix = () if parts[0] == "kubelemma" else ("kubelemma",)
            last = parts[:-1] if parts[-1] == "__init__" else parts
            found[".".join((*prefix, *last))] = path
    return found


@cache
def modules() -> Mapping[str, ast.Module]:
    """The syntax trees of all modules, by name."""
    return {name: ast.parse(path.read_text("utf-8")) for name, path in files().items()}


@cache
def packages() -> frozenset[str]:
    """The modules that hold others."""
    return frozenset(name for name, path in files().items() if path.name == "__init__.py")


@cache
def definitions() -> Mapping[str, Definition]:
    """All that modules define at their top level, and the methods of classes."""
    return {
        name: found for module in modules() for name, found in _defined(module, modules()[module])
    }


def _defined(module: str, tree: ast.Module) -> Iterator[tuple[str, Definition]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield f"{module}.{node.name}", Definition(module, node)
        elif isinstance(node, ast.ClassDef):
            yield f"{module}.{node.name}", Definition(module, node)
            for part in node.body:
                if isinstance(part, ast.FunctionDef):
                    owner = f"{module}.{node.name}"
                    yield f"{owner}.{part.name}", Definition(module, part, owner)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            bound = (n for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))
            for name in bound:
                yield f"{module}.{name.id}", Definition(module, node.value)


@cache
def imported(module: str) -> Mapping[str, str]:
    """What a module calls by which name, of other modules of the model."""
    found: dict[str, str] = {}
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.ImportFrom):
            source = _source(module, node)
            found |= {a.asname or a.name: f"{source}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.asname or a.name.split(".")[0]: a.name for a in node.names}
    return found


def _source(module: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    up = node.level - (module in packages())
    parts = module.split(".")
    base = parts[: len(parts) - up]
    return ".".join([*base, *([node.module] if node.module else [])])


def resolved(module: str, dotted: str) -> str | None:
    """The definition that a dotted name means in a module, through aliases and what is passed on.

    Of a longer name the first part that is one: ``Behaviour.HEALTHY`` is the class and more.
    """
    first, _, rest = dotted.partition(".")
    if f"{module}.{first}" in definitions():
        own = f"{module}.{first}"
        deeper = f"{own}.{rest.partition('.')[0]}"
        return deeper if deeper in definitions() else own
    target = imported(module).get(first)
    if target is None:
        return None
    if target in modules():
        return resolved(target, rest) if rest else None
    source, _, name = target.rpartition(".")
    return resolved(source, f"{name}.{rest}" if rest else name) if source in modules() else None


class Uses(NamedTuple):
    """What a piece of code names: definitions, and attributes of whatever objects."""

    names: frozenset[str]
    attributes: frozenset[str]


@cache
def uses(key: str) -> Uses:
    """What a definition names; of a class all but its methods, which are definitions themselves."""
    found = definitions()[key]
    names: set[str] = set()
    attributes: set[str] = set()
    for node in _code(found.node):
        if isinstance(node, ast.Attribute):
            attributes.add(node.attr)
        dotted = _dotted(node)
        target = resolved(found.module, dotted) if dotted else None
        if target:
            names.add(target)
    return Uses(frozenset(names - {key}), frozenset(attributes))


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a definition, without a class's own methods.

    With annotations: what a function is given is of a class whose methods it may call.
    """
    if isinstance(node, ast.ClassDef):
        parts: list[ast.AST] = [*node.bases, *node.decorator_list]
        parts += [part for part in node.body if not isinstance(part, ast.FunctionDef)]
    else:
        parts = [node]
    while parts:
        part = parts.pop()
        yield part
        parts += ast.iter_child_nodes(part)


def _dotted(node: ast.AST) -> str:
    """The dotted name that an expression is; empty if it is none."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        start = _dotted(node.value)
        return f"{start}.{node.attr}" if start else ""
    return ""


@cache
def reached(roots: frozenset[str]) -> frozenset[str]:
    """All definitions that code reached from the roots may use."""
    found: set[str] = set()
    attributes: set[str] = set()
    waiting = set(roots)
    while waiting:
        found |= waiting
        attributes |= {a for key in waiting for a in uses(key).attributes}
        named = {name for key in waiting for name in uses(key).names}
        waiting = (named | _methods(found, attributes)) - found
    return frozenset(found)


def _methods(found: set[str], attributes: set[str]) -> set[str]:
    """The methods of classes reached that are asked for, or that Python calls by itself."""
    return {
        key
        for key, definition in definitions().items()
        if definition.owner in found
        for name in [key.rpartition(".")[2]]
        if name in attributes or name.startswith("__")
    }


def decisions() -> frozenset[str]:
    """The public functions and methods of the modules that decide."""
    return frozenset(
        key
        for key, definition in definitions().items()
        if isinstance(definition.node, ast.FunctionDef)
        and DECIDING.match(definition.module)
        and not any(part.startswith("_") for part in key.split("."))
    )


def inside(*folders: str) -> frozenset[str]:
    """All definitions of these packages."""
    prefixes = tuple(f"kubelemma.{folder}." for folder in folders)
    return frozenset(
        key for key, found in definitions().items() if found.module.startswith(prefixes)
    )


READING = inside("model.kinds")
"""What is said of objects beside each other before anything is explored."""
BEGINNING = inside("model.scenario")
"""What a system starts with: the admission of pods, and where the first ones were placed."""
PLACEMENT = inside("solver.placement", "placing")
"""What decides where pods fit, without a system."""
RECORDED = inside("runs")
"""What is held against recorded runs, and changes no verdict."""
TELLING = inside("reports", "properties")
"""What is said or asked of states."""

ELSEWHERE: Mapping[str, frozenset[str]] = {
    "components.endpoint.decision.": RECORDED,
    "components.endpointslicemirroring.decision.": READING,
    "components.ingress.decision.class_of": READING,
    "components.ingress.decision.is_served": READING,
    "components.network.decision.": READING,
    "components.kubelet.decision.initialisation.may_fail_after_start": BEGINNING,
    "components.kubelet.decision.resizing.refusal": BEGINNING,
    "components.kubelet.decision.resizing.stages": BEGINNING,
    "components.persistentvolume.decision.unknown_class": BEGINNING,
    "components.persistentvolume.decision.wanting": BEGINNING,
    "components.persistentvolume.decision.wanting_of": BEGINNING,
    "components.replicaset.decision.deletion_cost_of": BEGINNING,
    "components.scheduler.decision.default_selector.": BEGINNING,
    "components.scheduler.decision.inter_pod_affinity.is_skipped": BEGINNING,
    "components.scheduler.decision.inter_pod_affinity.state_of": BEGINNING,
    "components.scheduler.decision.inter_pod_affinity_score.is_skipped": BEGINNING,
    "components.scheduler.decision.node_affinity.pre_filter": BEGINNING,
    "components.scheduler.decision.node_affinity.pre_score": BEGINNING,
    "components.scheduler.decision.node_ports.pre_filter": BEGINNING,
    "components.scheduler.decision.nodeinfo.NodeInfo.with_pods": BEGINNING,
    "components.scheduler.decision.profile.": BEGINNING,
    "components.scheduler.decision.status.Status.rejects": BEGINNING,
    "components.scheduler.decision.topology_spread.pod_contribution": BEGINNING,
    "components.scheduler.decision.topology_spread.state_of": BEGINNING,
    "components.scheduler.decision.nodeinfo.node_infos": PLACEMENT,
    "components.scheduler.decision.volumes.": PLACEMENT,
    "components.scheduler.decision.preemption.": PLACEMENT,
    "components.scheduler.decision.contribution.negated": PLACEMENT,
    "components.scheduler.decision.profile.Cycle.without_pod": PLACEMENT,
}
"""Decisions that no rule calls but something else does: by name, or a whole module by its dot."""

RECORDED = "reads single pods: it is held against recorded syncs, and the wiring against it"
ELAPSED = "no two minutes pass between the grant of an eviction and the deletion"
SCALED = "the wiring takes from it what matters: nothing is allowed"
UNCONTENDED = "a request is one step, or two that nobody's write makes conflict"
UNHEARD = "what a client is told in words"
WAITING = "a drain is over with the last deletion, and waits for no pod to end"

NOWHERE: Mapping[str, str] = {
    "components.disruption.budget.stored_budget": RECORDED,
    "components.disruption.budget.tells_allowed": RECORDED,
    "components.disruption.decision.sync": RECORDED,
    "components.disruption.decision.reported": RECORDED,
    "components.disruption.decision.healthy_pods": RECORDED,
    "components.disruption.decision.expected_scale": RECORDED,
    "components.disruption.decision.failed": SCALED,
    "components.disruption.decision.stale_in": ELAPSED,
    "components.drain.decision.after_deletion": WAITING,
    "components.eviction.decision.Answer.retry_after": UNHEARD,
    "components.eviction.decision.exhausted_message": UNHEARD,
    "components.eviction.decision.after_removal_conflict": UNCONTENDED,
    "components.eviction.decision.after_spending_conflict": UNCONTENDED,
}
"""Decisions that nothing but a test calls, and why."""


def exception_of(decision: str, exceptions: Iterable[str]) -> str | None:
    """The exception that a decision falls under: its own, or that of its module."""
    name = decision.removeprefix(f"{MODEL}.")
    modules_of = [e for e in exceptions if e.endswith(".") and name.startswith(e)]
    return name if name in exceptions else next(iter(modules_of), None)


def uncalled() -> frozenset[str]:
    """The decisions that nothing explored reaches."""
    return decisions() - reached(RULES)


def test_decisions_are_called_or_listed() -> None:
    """Whatever no rule, tally, best or bound reaches is an exception, with its reason."""
    listed = {*ELSEWHERE, *NOWHERE}
    assert {decision for decision in uncalled() if not exception_of(decision, listed)} == set()


def test_exceptions_are_not_called() -> None:
    """No exception has become idle: each is about some decision that no rule reaches."""
    listed = {*ELSEWHERE, *NOWHERE}
    assert {exception_of(decision, listed) for decision in uncalled()} == listed


@pytest.mark.parametrize("name", ELSEWHERE)
def test_called_elsewhere(name: str) -> None:
    """What is said to be called by something else is called by it."""
    about = {d for d in uncalled() if exception_of(d, {*ELSEWHERE, *NOWHERE}) == name}
    assert about <= reached(ELSEWHERE[name])


def test_called_by_tests_alone() -> None:
    """What is said to be called by nothing is called by nothing, but for tests."""
    about = {d for d in uncalled() if exception_of(d, {*ELSEWHERE, *NOWHERE}) in NOWHERE}
    assert about & reached(BEGINNING | PLACEMENT | TELLING) == set()


@pytest.mark.parametrize(
    "name",
    [
        "components.scheduler.decision.taints.filter_taints",  # in a tuple of functions
        "components.scheduler.decision.topology_spread_score.normalize_spread",  # in a table
        "components.deployment.decision.scale.scale",  # passed on by its package, renamed
        "components.scheduler.decision.status.Status.ok",  # a property
        "components.kubelet.decision.admission.admit",  # by a function that is a value
        "components.tainteviction.decision.min_toleration_seconds",  # by a method of the world
    ],
)
def test_walk_follows(name: str) -> None:
    """The walk finds what rules call in whatever way."""
    assert f"{MODEL}.{name}" in reached(RULES)
