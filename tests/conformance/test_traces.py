"""Recorded runs of the real control plane: what acceptance of whole runs leaves open is right, too.

Any node that passes the filters is accepted for a binding, and any time for an eviction. Here a
binding is to one of the nodes that the scheduler scores best, and an eviction is due when it comes.
What a writer had read is not recorded, but its cache showed every kind of object as it was after
some revision not long before. A write is explained if the decision, given the objects as of such
revisions, yields it.
"""

from __future__ import annotations

import gzip
import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from kubelemma.model.components.scheduler.decision.default_selector import Workload
from kubelemma.model.components.scheduler.decision.nodeinfo import node_infos
from kubelemma.model.components.scheduler.decision.profile import Snapshot, decide
from kubelemma.model.components.tainteviction.decision import min_toleration_seconds
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import LabelSelector, ObjectMeta
from kubelemma.model.objects.node import Namespace, Node, Taint
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.service import Service

TRACES = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "traces"

READ_BY = ("kube-scheduler", "kube-apiserver")
"""The processes without which the scheduler's cache stays behind."""
NODE_CONTROLLER = "sa:node-controller"
SCHEDULER = "system:kube-scheduler"
RECENT_SECONDS = 0.2
"""How far a cache may lie behind."""
CATCH_UP_SECONDS = 5.0
"""For how long after its process was stopped, or the API server was, a cache may show what was."""
LATE_SECONDS = 30.0
"""How long an eviction that is due may wait: the controller sends few requests a second."""
RECENT_REVISIONS = 60
"""How many revisions of a kind are tried at most."""

Raw = dict[str, Any]


# Reading


@pytest.fixture
def names() -> list[str]:
    """The names of all traces."""
    found = sorted(path.name.removesuffix(".jsonl.gz") for path in TRACES.glob("*.jsonl.gz"))
    if not found:
        pytest.skip("conformance data is absent: ../shared/conformance/traces")
    return found


class Version(NamedTuple):
    """An object as one write left it; ``raw`` is None once it is gone."""

    revision: int
    time: float
    raw: Raw | None
    line: Raw


@dataclass(frozen=True, slots=True)
class Kind:
    """All versions of all objects of a kind, by uid, and the writes in order."""

    versions: dict[str, list[Version]] = field(default_factory=dict)
    writes: list[Version] = field(default_factory=list)

    def at(self, uid: str, revision: int) -> Version | None:
        """The object as of a revision; None before it is there."""
        history = self.versions.get(uid, [])
        index = bisect_right(history, revision, key=lambda version: version.revision)
        return history[index - 1] if index else None

    def objects(self, revision: int) -> list[Raw]:
        """All objects as of a revision, in the order of their creation."""
        found = (self.at(uid, revision) for uid in self.versions)
        return [version.raw for version in found if version is not None and version.raw]

    def recent(self, before: int, earliest: int) -> list[int]:
        """Revisions from ``earliest`` on and one before, latest first; all are below ``before``."""
        found = [0]
        for version in self.writes:
            if version.revision >= before:
                break
            if version.revision <= earliest:
                found = [version.revision]
            else:
                found.append(version.revision)
        return found[::-1][:RECENT_REVISIONS]


@dataclass(frozen=True, slots=True)
class Trace:
    """One recorded run; ``stops``: from when to when the scheduler or an API server stood still."""

    kinds: Mapping[str, Kind]
    stops: Mapping[float, float]

    def kind(self, name: str) -> Kind:
        """What was recorded of a kind."""
        return self.kinds.get(name, Kind())

    def recent(self, name: str, write: Version) -> list[int]:
        """Revisions of a kind that the writer's cache may have shown, latest first."""
        asked = write.line["reqT"][0]
        stopped = [t for t, end in self.stops.items() if t <= asked <= end + CATCH_UP_SECONDS]
        writes = self.kind(name).writes
        seen = min([asked, *stopped]) - RECENT_SECONDS
        index = bisect_right(writes, seen, key=lambda version: version.time)
        earliest = writes[index - 1].revision if index else 0
        return self.kind(name).recent(write.revision, earliest)


def read(name: str) -> Trace:
    """Read one trace by name."""
    path = TRACES / f"{name}.jsonl.gz"
    kinds: dict[str, Kind] = {}
    stops: dict[float, float] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            if line["src"] in ("watch", "snapshot"):
                _keep(kinds.setdefault(line["kind"], Kind()), line)
            elif line["src"] == "driver" and line.get("process", "").startswith(READ_BY):
                _notice(stops, line)
    return Trace(kinds, stops)


def _notice(stops: dict[float, float], line: Raw) -> None:
    """Keep when a process stops, and when it goes on; until then it has not."""
    if line["op"] in ("kill", "sigstop"):
        stops[line["t0"]] = inf
    elif line["op"] in ("start", "sigcont"):
        stops |= {since: line["t0"] for since, until in stops.items() if until == inf}


def _keep(kind: Kind, line: Raw) -> None:
    gone = line.get("type") == "DELETED"
    version = Version(line["rv"], line.get("t", 0.0), None if gone else line["object"], line)
    kind.versions.setdefault(line["uid"], []).append(version)
    kind.writes.append(version)


def writes_of(trace: Trace, kind: str, actor: str, *verbs: str) -> Iterator[Version]:
    """The writes of an actor to objects of a kind."""
    for version in trace.kind(kind).writes:
        if version.line.get("actor") == actor and version.line.get("via") in verbs:
            yield version


# Bindings


def binding_is_explained(trace: Trace, write: Version) -> bool:
    """Whether the node is among the scheduler's choices, for some order of bindings in flight."""
    chosen = write.line["object"]["spec"]["nodeName"]
    before = trace.kind("Pod").at(write.line["uid"], write.revision - 1)
    assert before is not None
    assert before.raw is not None
    pod = decode(before.raw, Pod)
    return any(chosen in decide(pod, snapshot).choices for snapshot in snapshots(trace, write))


def snapshots(trace: Trace, write: Version) -> Iterator[Snapshot]:
    """What the scheduler's cache may have held: any recent revision, with the pods assumed.

    Bindings are sent side by side: of those sent about the same time, any number may have been
    decided before.
    """
    others = sorted(
        (v.line["reqT"][0], v.line["uid"], v.line["object"]["spec"]["nodeName"])
        for v in writes_of(trace, "Pod", SCHEDULER, "create/binding")
        if v.line["uid"] != write.line["uid"]
        and abs(v.line["reqT"][0] - write.line["reqT"][0]) < RECENT_SECONDS
    )
    earlier = sum(sent < write.line["reqT"][0] for sent, _, _ in others)
    counts = sorted(range(len(others) + 1), key=lambda n: abs(n - earlier))[:3]
    revisions = trace.recent("Pod", write), trace.recent("Node", write)
    for count, revision, of_nodes in product(counts, *revisions):
        assumed = {uid: node for _, uid, node in others[:count]}
        yield snapshot(trace, revision, of_nodes, assumed)


def snapshot(trace: Trace, revision: int, of_nodes: int, assumed: Mapping[str, str]) -> Snapshot:
    """The cluster as of a revision (another one for nodes), with bindings under way."""
    pods = [decode(raw, Pod) for raw in trace.kind("Pod").objects(revision)]
    pods = [
        msgspec.structs.replace(
            pod, spec=msgspec.structs.replace(pod.spec, node_name=assumed[pod.metadata.uid])
        )
        if pod.metadata.uid in assumed and not pod.spec.node_name
        else pod
        for pod in pods
    ]
    nodes = [decode(raw, Node) for raw in trace.kind("Node").objects(of_nodes)]
    spaces = [decode(raw, Namespace) for raw in trace.kind("Namespace").objects(revision)]
    return Snapshot(
        node_infos(nodes, [pod for pod in pods if pod.spec.node_name]),
        {space.metadata.name: space.metadata.label_map() for space in spaces},
        tuple(decode(raw, Service) for raw in trace.kind("Service").objects(revision)),
        dict(_selectors(trace, revision)),
        tuple(p for p in pods if not p.spec.node_name and p.status.nominated_node_name),
    )


def _selectors(trace: Trace, revision: int) -> Iterator[tuple[Workload, LabelSelector]]:
    for kind in ("ReplicaSet", "StatefulSet"):
        for raw in trace.kind(kind).objects(revision):
            metadata = decode(raw["metadata"], ObjectMeta)
            selector = decode(raw["spec"]["selector"], LabelSelector)
            yield Workload(kind, metadata.namespace, metadata.name), selector


# Evictions


def deletions(trace: Trace, actor: str) -> Iterator[Version]:
    """The first write of each deletion of a pod by an actor."""
    done = set()
    for version in writes_of(trace, "Pod", actor, "delete"):
        if version.line["uid"] not in done:
            done.add(version.line["uid"])
            yield version


def eviction_is_explained(trace: Trace, write: Version) -> bool:
    """Whether the pod's toleration of its node's NoExecute taints had run out, and only just."""
    pod = decode(write.line["object"], Pod)
    asked = write.line["reqT"][0]
    node = next(
        uid
        for uid, history in trace.kind("Node").versions.items()
        if history[0].line["name"] == pod.spec.node_name
    )
    timer: tuple[float, int] | None = None
    for version in trace.kind("Node").versions[node]:
        if version.time > asked or version.raw is None:
            break
        taints = [decode(t, Taint) for t in version.raw["spec"].get("taints", [])]
        allowed = min_toleration_seconds(pod.spec.tolerations or (), taints)
        if allowed is None:
            timer = None
        elif timer is None or allowed < timer[1]:
            timer = (max(version.time, bound_at(trace, pod)), allowed)
    return timer is not None and -0.1 <= asked - timer[0] - timer[1] <= LATE_SECONDS


def bound_at(trace: Trace, pod: Pod) -> float:
    """When the pod got its node."""
    return next(
        version.time
        for version in trace.kind("Pod").versions[pod.metadata.uid]
        if version.raw and version.raw["spec"].get("nodeName")
    )


# The tests


def test_bindings_are_explained(names: list[str], tally: Any) -> None:
    """Every binding is to a node that scores best among those that pass the filters."""
    for name in names:
        trace = read(name)
        for write in writes_of(trace, "Pod", SCHEDULER, "create/binding"):
            if binding_is_explained(trace, write):
                tally.passed("best nodes of runs")
            else:
                tally.failed("best nodes of runs", f"{name} {write.revision}", "another node")
    tally.verify("best nodes of runs")


def test_evictions_are_explained(names: list[str], tally: Any) -> None:
    """Every eviction by taints comes when a toleration has run out, and only just."""
    for name in names:
        trace = read(name)
        for write in deletions(trace, NODE_CONTROLLER):
            if eviction_is_explained(trace, write):
                tally.passed("evictions of runs")
            else:
                tally.failed("evictions of runs", f"{name} {write.revision}", "not due")
    tally.verify("evictions of runs")


def altered(write: Version, **changes: Any) -> Version:
    """The write with other fields in its line."""
    return write._replace(line={**write.line, **changes})


def test_earlier_evictions_are_not_explained(names: list[str]) -> None:
    """No pod could have been evicted three seconds earlier than it was."""
    asked = 0
    for trace in (read(name) for name in names if name.startswith(("taint-", "node-down"))):
        for write in deletions(trace, NODE_CONTROLLER):
            asked += 1
            times = [time - 3 for time in write.line["reqT"]]
            assert not eviction_is_explained(trace, altered(write, reqT=times))
    assert asked > 10


def test_most_other_nodes_are_not_explained(names: list[str]) -> None:
    """Where nodes differ, a binding to another node would mostly not be explained."""
    answers = [
        binding_is_explained(trace, bound_to(write, node))
        for trace in (read(name) for name in names if name.startswith("sched-"))
        for write in writes_of(trace, "Pod", SCHEDULER, "create/binding")
        for node in {version.line["name"] for version in trace.kind("Node").writes}
        if node != write.line["object"]["spec"]["nodeName"]
    ]
    assert answers.count(False) > 2 * answers.count(True)


def bound_to(write: Version, node: str) -> Version:
    """The binding to another node."""
    raw = write.line["object"]
    return altered(write, object={**raw, "spec": {**raw["spec"], "nodeName": node}})
