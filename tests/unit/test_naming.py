"""Who names whom: what goes through a list of kinds or of components names none of them.

Kinds are looked for in code, strings and docstrings alike, as words and as parts of identifiers.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from kubelemma.model.components.registry import ACTIONS, COMPONENTS
from kubelemma.model.kinds.other import OTHER
from kubelemma.model.kinds.registry import BY_NAME
from kubelemma.reports.narrate.summary import SENTENCES
from kubelemma.reports.narrate.tellers import TELLERS

ROOT = Path(__file__).resolve().parents[2]
NARRATE = ROOT / "reports" / "narrate"

FOLDERS = ("model/manifests", "model/scenario", "solver", "src/kubelemma/cli", "reports/narrate")
"""Where nobody is named, but what is a teller's in ``narrate``."""

WORDS = {"Pod", "Node", "Namespace", "Event", "Role", "Secret", "Binding", "Lease"}
"""Kinds that are everybody's words: the pods and nodes that all is about, and the namespaces that
names are in; and those whose names mean something else here, or begin a sentence."""

ORDINARY = {"Job", "Service", "Ingress", "Endpoints"}
"""Kinds whose names are such words where they are not capitalised."""

_EVENTS = "the field of an event that names its workload: users' files say so"
_VOLUMES = "the problem has storage objects as it has pods and nodes, and volumes are placed, too"
_CREATED = "a checker reads by itself whose pods are created again"
_WAITED = "what init containers wait for"
_STATIC = "what a static pod may not refer to"

ALLOWED = {
    ("model/manifests/check.py", "Deployment"): _EVENTS,
    ("model/manifests/check.py", "ServiceAccount"): _EVENTS,
    ("model/manifests/check.py", "ConfigMap"): _EVENTS,
    ("model/manifests/named.py", "ServiceAccount"): _EVENTS,
    ("model/manifests/clouds.py", "Service"): _EVENTS,
    ("model/manifests/named.py", "ConfigMap"): _EVENTS,
    ("model/manifests/named.py", "Service"): _WAITED,
    ("model/scenario/consistency.py", "Service"): _WAITED,
    ("model/scenario/static.py", "PersistentVolumeClaim"): _STATIC,
    ("model/scenario/static.py", "ServiceAccount"): _STATIC,
    ("model/manifests/machines.py", "DaemonSet"): "an option of kubectl drain has it in its name",
    ("src/kubelemma/cli/place.py", "DaemonSet"): "an example of a command of kubectl",
    ("src/kubelemma/cli/place.py", "Deployment"): "an example of a command of kubectl",
    ("model/manifests/custom.py", "CustomResourceDefinition"): "what custom kinds are defined by",
    ("model/scenario/consistency.py", "PersistentVolume"): "a component of this name is asked",
    ("model/scenario/reach.py", "PersistentVolume"): "a component of this name is asked",
    ("solver/placement/check_volumes.py", "CSINode"): _VOLUMES,
    ("solver/placement/check_volumes.py", "PersistentVolume"): _VOLUMES,
    ("solver/placement/check_volumes.py", "PersistentVolumeClaim"): _VOLUMES,
    ("solver/placement/check_volumes.py", "StorageClass"): _VOLUMES,
    ("solver/placement/check_preemption.py", "DaemonSet"): _CREATED,
    ("solver/placement/check_preemption.py", "Job"): _CREATED,
    ("solver/placement/check_preemption.py", "ReplicaSet"): _CREATED,
    ("solver/placement/check_preemption.py", "ReplicationController"): _CREATED,
    ("solver/placement/check_preemption.py", "StatefulSet"): _CREATED,
    ("solver/placement/claims.py", "PersistentVolumeClaim"): "a field of a volume",
    ("solver/placement/displaced.py", "PersistentVolumeClaim"): "a field of a volume",
    ("solver/placement/interchange.py", "PersistentVolumeClaim"): "a field of a volume",
    ("solver/placement/pending.py", "PersistentVolumeClaim"): "a field of a volume",
    ("solver/placement/pending.py", "PersistentVolume"): "what the scheduler itself writes",
    ("solver/placement/problem.py", "PodDisruptionBudget"): "what preemption spares, if it can",
    ("reports/narrate/bounds.py", "Deployment"): "rolling updates, for a teller",
    ("reports/narrate/bounds.py", "ReplicaSet"): "rolling updates, for a teller",
    ("reports/narrate/tellers.py", "Deployment"): "the list of tellers",
    ("reports/narrate/tellers.py", "ReplicaSet"): "the list of tellers",
    ("reports/narrate/tellers.py", "ServiceAccount"): "the list of tellers",
    ("reports/narrate/tellers.py", "StatefulSet"): "the list of tellers",
    ("reports/narrate/tellers.py", "PersistentVolume"): "the list of tellers",
    ("reports/narrate/volumes.py", "PersistentVolumeClaim"): "a field of a volume, for tellers",
    ("reports/narrate/tellers.py", "EndpointSlice"): "the list of tellers",
}
"""File and kind, and why it may be named there."""

_START = "decisions by which pods are placed, or are whose they are, at the start"
_LOADED = "what is loaded is part of a scenario"

KNOWN = {
    ("model/manifests/machines.py", "drain"): "an event has the options of kubectl drain",
    ("model/manifests/check.py", "kubelet"): "an event says what a resize asks for",
    ("model/manifests/losses.py", "serviceaccount"): "an event names an account",
    ("model/manifests/losses.py", "volumeprotection"): "an event names a claim",
    ("model/manifests/named.py", "serviceaccount"): "an event names an account",
    ("model/manifests/clouds.py", "servicelb"): "an event names a Service",
    ("model/scenario/*", "servicelb"): "a Check states a cloud",
    ("model/scenario/said.py", "attachdetach"): "a Check says how its controller is run",
    ("model/manifests/named.py", "kubelet"): "an event names what containers refer to",
    ("reports/narrate/amounts.py", "scheduler"): "requests are summed up as the scheduler does it",
    ("reports/narrate/resizing.py", "kubelet"): "part of its teller",
    ("reports/narrate/starting.py", "kubelet"): "part of its teller",
    ("reports/narrate/entering.py", "ingress"): "part of its teller, for boxes of Services",
    ("reports/narrate/bounds.py", "deployment"): "the bounds of a rolling update are rounded",
    (
        "model/scenario/*",
        "controllermanager",
    ): "whether it restarts, as reconciled objects mind",
    ("model/scenario/*", "reconcile"): _LOADED,
    ("model/scenario/*", "scheduler"): _START,
    ("model/scenario/*", "kubelet"): _START,
    ("model/scenario/*", "tainteviction"): _START,
    ("model/scenario/*", "persistentvolume"): _START,
    ("solver/placement/overfull.py", "kubelet"): "whom it admits to a node that is overfull",
    ("solver/placement/*", "scheduler"): "placement asks for the scheduler's own decisions",
}
"""File or folder and component, and why it may be imported there."""


def forms(name: str) -> Iterator[str]:
    """How a kind may be written: by its name, or as an identifier has it."""
    yield name
    if name not in ORDINARY:
        yield name.lower()
        yield re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def finder() -> re.Pattern[str]:
    """All kinds of Kubernetes that are no words, in the plural, too; the longest name counts."""
    every = {*BY_NAME, *(name for other in OTHER for name in other.names)}
    listed = sorted(every - WORDS, key=len, reverse=True)
    options = (f"(?P<{name}>{'|'.join(forms(name))})" for name in listed)
    return re.compile(rf"(?<![A-Za-z])(?:{'|'.join(options)})s?(?![A-Za-z])")


FINDER = finder()
OF_TELLERS = {teller.name for teller in TELLERS}


def kinds_in(text: str) -> set[str]:
    """The kinds that a text names."""
    return {str(match.lastgroup) for match in FINDER.finditer(text)}


def files() -> Iterator[Path]:
    """All modules in which nobody is named."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            if ROOT / folder != NARRATE or parts[0] not in OF_TELLERS:
                yield path


FILES = {path.relative_to(ROOT).as_posix(): path for path in files()}
CORE = [file for file, path in FILES.items() if path.parent == NARRATE and path.stem != "tellers"]


def tree(file: str) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(FILES[file].read_text("utf-8"))


def imported(file: str) -> set[str]:
    """The modules that a module imports from."""
    return {n.module or "" for n in ast.walk(tree(file)) if isinstance(n, ast.ImportFrom)}


def test_the_files_are_found() -> None:
    """The tests below look at what they are about, and not at tellers."""
    wanted = {"model/manifests/reading.py", "solver/placement/whatif.py", "solver/explore.py"}
    wanted |= {"src/kubelemma/cli/check.py", "reports/narrate/summary.py"}
    assert wanted <= set(FILES)
    assert "reports/narrate/deployment.py" not in FILES


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("of a Deployment's pods", {"Deployment"}),
        ("for replica_set in sets", {"ReplicaSet"}),
        ("all ReplicaSets", {"ReplicaSet"}),
        ("default_deployments = ()", {"Deployment"}),
        ("--ignore-daemonsets", {"DaemonSet"}),
        ("csi_node", {"CSINode"}),
        ("persistent_volume_claim", {"PersistentVolumeClaim"}),
        ("a service of the node, its job and its event", set()),
        ("a Service", {"Service"}),
        ("PersistentVolumeClaims", {"PersistentVolumeClaim"}),
    ],
)
def test_kinds_are_found(text: str, named: set[str]) -> None:
    """A kind is a word, or a part of an identifier."""
    assert kinds_in(text) == named


@pytest.mark.parametrize("file", FILES)
def test_no_kind_is_named(file: str) -> None:
    """Whoever goes through the list of kinds names none, but for a reason."""
    expected = {kind for where, kind in ALLOWED if where == file}
    assert kinds_in(FILES[file].read_text("utf-8")) == expected


@pytest.mark.parametrize("file", FILES)
def test_no_component_is_imported(file: str) -> None:
    """Whoever goes through the list of components knows none, but for a reason."""
    modules = (module.partition("model.components.")[2] for module in imported(file))
    known = {module.partition(".")[0] for module in modules} & {
        component.name for component in COMPONENTS
    }
    expected = {name for where, name in KNOWN if fnmatch(file, where)}
    assert known <= expected


def test_reasons_are_needed() -> None:
    """No file is excused that is not there."""
    for where, _ in (*ALLOWED, *KNOWN):
        assert any(fnmatch(file, where) for file in FILES), where


@pytest.mark.parametrize("file", CORE)
def test_the_core_of_stories_names_no_action(file: str) -> None:
    """What all stories have in common knows no teller, and nothing that one of them tells of."""
    strings = {node.value for node in ast.walk(tree(file)) if isinstance(node, ast.Constant)}
    assert strings & (set(SENTENCES) | set(ACTIONS)) == set()
    assert imported(file) & OF_TELLERS == set()
