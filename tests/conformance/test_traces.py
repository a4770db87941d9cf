"""Recorded runs of the real control plane: every write of a controller is one the model decides on.

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
from datetime import datetime
from itertools import islice, permutations, product
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from kubelemma.model.controllers.deployment import (
    CreateNew,
    Sync,
    deployment_view,
    old_pods_running,
    replica_set_view,
    sync,
)
from kubelemma.model.controllers.replicaset import (
    Victim,
    colocation,
    deletion_order,
    is_active,
    victim,
)
from kubelemma.model.controllers.tainteviction import min_toleration_seconds
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import LabelSelector, ObjectMeta
from kubelemma.model.objects.node import Namespace, Node, Taint
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.service import Service
from kubelemma.model.objects.workloads import Deployment, ReplicaSet
from kubelemma.model.scheduler.default_selector import Workload
from kubelemma.model.scheduler.nodeinfo import node_infos
from kubelemma.model.scheduler.profile import Snapshot, decide

TRACES = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "traces"

DEPLOYMENT_CONTROLLER = "sa:deployment-controller"
REPLICASET_CONTROLLER = "sa:replicaset-controller"
NODE_CONTROLLER = "sa:node-controller"
SCHEDULER = "system:kube-scheduler"
RECENT_SECONDS = 0.2
"""How far a cache may lie behind."""
SYNC_SECONDS = (0.0, 0.01, 0.03, 0.1)
"""How long before its request a deletion may have been decided on."""
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
    """One recorded run; ``processes`` is what was done to those of the control plane."""

    name: str
    start: float
    kinds: Mapping[str, Kind]
    processes: tuple[Raw, ...] = ()

    def kind(self, name: str) -> Kind:
        """What was recorded of a kind."""
        return self.kinds.get(name, Kind())

    def recent(self, name: str, write: Version, since: int | None = None) -> list[int]:
        """Revisions of a kind that the writer's cache may have shown, latest first."""
        asked = write.line["reqT"][0] - RECENT_SECONDS
        writes = self.kind(name).writes
        index = bisect_right(writes, asked, key=lambda version: version.time)
        earliest = writes[index - 1].revision if index else 0
        if since is not None:
            earliest = since
        return self.kind(name).recent(write.revision, earliest)


def read(name: str) -> Trace:
    """Read one trace by name."""
    path = TRACES / f"{name}.jsonl.gz"
    kinds: dict[str, Kind] = {}
    processes: list[Raw] = []
    start = 0.0
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            if line["src"] == "header":
                start = datetime.fromisoformat(line["startTime"]).timestamp()
            if line["src"] in ("watch", "snapshot"):
                _keep(kinds.setdefault(line["kind"], Kind()), line)
            if line["src"] == "driver" and "process" in line:
                processes.append(line)
    return Trace(name, start, kinds, tuple(processes))


def _keep(kind: Kind, line: Raw) -> None:
    gone = line.get("type") == "DELETED"
    version = Version(line["rv"], line.get("t", 0.0), None if gone else line["object"], line)
    kind.versions.setdefault(line["uid"], []).append(version)
    kind.writes.append(version)


def owner_of(raw: Raw, kind: str) -> str:
    """The uid of the managing owner of that kind; empty for none."""
    owners = raw["metadata"].get("ownerReferences", [])
    return next((o["uid"] for o in owners if o.get("controller") and o["kind"] == kind), "")


def writes_of(trace: Trace, kind: str, actor: str, *verbs: str) -> Iterator[Version]:
    """The writes of an actor to objects of a kind."""
    for version in trace.kind(kind).writes:
        if version.line.get("actor") == actor and version.line.get("via") in verbs:
            yield version


# Deployments


def unhashed(raw: Raw) -> Raw:
    """A pod template without the label that tells ReplicaSets apart."""
    template = raw["spec"]["template"]
    metadata = dict(template.get("metadata", {}))
    labels = {k: v for k, v in metadata.get("labels", {}).items() if k != "pod-template-hash"}
    return {**template, "metadata": {**metadata, "labels": labels}}


class Read(NamedTuple):
    """What a sync of a Deployment may have read, and what it then decides."""

    names: tuple[str, ...]
    sync: Sync


def syncs(trace: Trace, write: Version, deployment: str, since: int | None) -> Iterator[Read]:
    """The decisions of syncs of a Deployment (by uid) that the write may belong to."""
    deployments = trace.kind("Deployment")
    views = [deployments.at(deployment, r) for r in trace.recent("Deployment", write)]
    seen = {v.revision: v.raw for v in views if v is not None and v.raw is not None}
    for revision, raw in product(trace.recent("ReplicaSet", write, since), seen.values()):
        owned = [
            r
            for r in trace.kind("ReplicaSet").objects(revision)
            if owner_of(r, "Deployment") == deployment
        ]
        sets = tuple(replica_set_view(decode(r, ReplicaSet)) for r in owned)
        like = [i for i, r in enumerate(owned) if unhashed(r) == unhashed(raw)]
        new = min(like, key=lambda i: (sets[i].created, sets[i].name), default=None)
        view = deployment_view(decode(raw, Deployment))
        for old_running in _old_running(trace, write, owned, new, sets):
            decision = sync(view, sets, new, old_running=old_running)
            yield Read(tuple(s.name for s in sets), decision)


def _old_running(
    trace: Trace, write: Version, owned: list[Raw], new: int | None, sets: Any
) -> set[bool]:
    """Whether pods of old ReplicaSets run, as of any revision of pods that may have been read."""
    old = {r["metadata"]["uid"] for i, r in enumerate(owned) if i != new}
    answers = set()
    for revision in trace.recent("Pod", write)[:5]:
        phases = [
            pod.get("status", {}).get("phase", "")
            for pod in trace.kind("Pod").objects(revision)
            if owner_of(pod, "ReplicaSet") in old
        ]
        answers.add(old_pods_running(sets, new, phases))
    return answers


def size_of(raw: Raw) -> tuple[int, int | None, int | None]:
    """The size of a ReplicaSet and its two annotations."""
    view = replica_set_view(decode(raw, ReplicaSet))
    return view.replicas, view.desired, view.max_replicas


def put_is_explained(trace: Trace, write: Version) -> bool:
    """Whether a sync of the Deployment resizes the ReplicaSet as it was resized.

    The sync read the version that it names, or, where it writes the same ReplicaSet twice, the one
    before.
    """
    raw = write.line["object"]
    name, wanted = raw["metadata"]["name"], size_of(raw)
    since = write.line.get("preRV", write.revision - 1)
    before = trace.kind("ReplicaSet").at(write.line["uid"], since)
    if before is not None and before.line.get("via") == "update":
        since = before.line.get("preRV", since)
    return any(
        (read.names[put.index], (put.replicas, put.desired, put.max_replicas)) == (name, wanted)
        for read in syncs(trace, write, owner_of(raw, "Deployment"), since)
        for put in read.sync.puts
    )


def post_is_explained(trace: Trace, write: Version) -> bool:
    """Whether a sync of the Deployment creates a ReplicaSet of that size."""
    raw = write.line["object"]
    wanted = size_of(raw)
    return any(
        isinstance(read.sync.create, CreateNew) and tuple(read.sync.create) == wanted
        for read in syncs(trace, write, owner_of(raw, "Deployment"), None)
    )


def removal_is_explained(trace: Trace, write: Version) -> bool:
    """Whether a sync of the Deployment deletes this ReplicaSet of its history."""
    raw = write.line["object"]
    return any(
        read.names[index] == raw["metadata"]["name"]
        for read in syncs(trace, write, owner_of(raw, "Deployment"), None)
        for index in read.sync.deletes
    )


def is_of_metadata(trace: Trace, write: Version) -> bool:
    """Whether a PUT leaves the size and its annotations as they were."""
    before = trace.kind("ReplicaSet").at(write.line["uid"], write.revision - 1)
    assert before is not None
    assert before.raw is not None
    return size_of(before.raw) == size_of(write.line["object"])


# Pods deleted to scale down


def deletions(trace: Trace, actor: str) -> Iterator[Version]:
    """The first write of each deletion of a pod by an actor."""
    done = set()
    for version in writes_of(trace, "Pod", actor, "delete"):
        if version.line["uid"] not in done:
            done.add(version.line["uid"])
            yield version


def deletion_is_explained(trace: Trace, write: Version) -> bool:
    """Whether a sync of the pod's ReplicaSet, a moment before, may have chosen the pod."""
    owner = owner_of(write.line["object"], "ReplicaSet")
    family = _family(trace, owner)
    sizes = {
        raw["spec"]["replicas"]
        for revision in trace.recent("ReplicaSet", write)
        for raw in trace.kind("ReplicaSet").objects(revision)
        if raw["metadata"]["uid"] == owner
    }
    times = [trace.start + write.line["reqT"][0] - delay for delay in SYNC_SECONDS]
    return any(
        may_be_chosen(write.line["uid"], victims, len(victims) - size, int(time * 1e9))
        for victims in _victims(trace, write, family)
        for size in sizes
        for time in times
    )


def _family(trace: Trace, owner: str) -> dict[str, bool]:
    """The ReplicaSets with the same owner as this one, and which of them is this one."""
    histories = trace.kind("ReplicaSet").versions
    deployments = {u: owner_of(h[0].line["object"], "Deployment") for u, h in histories.items()}
    mine = deployments[owner]
    return {uid: uid == owner for uid, d in deployments.items() if uid == owner or mine == d != ""}


def _victims(
    trace: Trace, write: Version, family: Mapping[str, bool]
) -> Iterator[tuple[Victim, ...]]:
    """The active pods of the ReplicaSet as of each revision that may have been read."""
    for revision in trace.recent("Pod", write):
        related = [
            (family[owner], decode(raw, Pod))
            for raw in trace.kind("Pod").objects(revision)
            if (owner := owner_of(raw, "ReplicaSet")) in family
        ]
        pods = [pod for mine, pod in related if mine and is_active(pod)]
        ranks = colocation(pods, [pod for _, pod in related])
        yield tuple(victim(pod, rank) for pod, rank in zip(pods, ranks, strict=True))


def may_be_chosen(uid: str, victims: tuple[Victim, ...], count: int, now: int) -> bool:
    """Whether the pod is among the first ``count`` for some order in which the cache lists them.

    The ranking is not transitive, so the order matters; of many pods not every order is tried.
    """
    if count <= 0 or uid not in [v.uid for v in victims]:
        return False
    return any(
        uid in {order[i].uid for i in deletion_order(order, now)[:count]}
        for order in islice(permutations(victims), 720)
    )


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

EXPLANATIONS = {
    "put": put_is_explained,
    "post": post_is_explained,
    "removal": removal_is_explained,
    "deletion": deletion_is_explained,
    "binding": binding_is_explained,
    "eviction": eviction_is_explained,
}
STOPPED = "its process was stopped for seconds, and acts on what it had seen before"
RESTARTED = "the API server was restarted, and its watches were behind for seconds"
BEHIND_SECONDS = 60.0
"""How long after an interruption a writer may act on what it had seen before."""
CLOCK_SECONDS = 0.01
"""How far the times of a signal and of a request may be off."""
PROGRAMS = {SCHEDULER: "kube-scheduler"}
"""The program that a writer runs in, where it is not the controller manager."""


def older(trace: Trace, write: Version) -> str:
    """Why a write may rest on older observations than are tried, by what the run says; or empty."""
    program = PROGRAMS.get(write.line["actor"], "kube-controller-manager")
    for line in trace.processes:
        since = write.line["reqT"][0] - line["t0"]
        if not -CLOCK_SECONDS <= since <= BEHIND_SECONDS:
            continue
        if line["op"] == "sigcont" and line["process"].startswith(program):
            return STOPPED
        if line["op"] == "start" and line["process"].startswith("kube-apiserver"):
            return RESTARTED
    return ""


def decisions(trace: Trace) -> Iterator[tuple[str, Version]]:
    """All writes that are to be explained, by what they are."""
    verbs = {"update": "put", "create": "post", "delete": "removal"}
    for version in writes_of(trace, "ReplicaSet", DEPLOYMENT_CONTROLLER, *verbs):
        yield verbs[version.line["via"]], version
    for version in deletions(trace, REPLICASET_CONTROLLER):
        yield "deletion", version
    for version in writes_of(trace, "Pod", SCHEDULER, "create/binding"):
        yield "binding", version
    for version in deletions(trace, NODE_CONTROLLER):
        yield "eviction", version


def test_every_write_is_explained(names: list[str], tally: Any) -> None:
    """Every recorded write of these controllers is one that the model's decisions yield."""
    for name in names:
        group = f"traces {name.partition('-')[0]}"
        trace = read(name)
        for what, write in decisions(trace):
            if what == "put" and is_of_metadata(trace, write):
                tally.skipped(group, "a PUT of metadata alone")
            elif EXPLANATIONS[what](trace, write):
                tally.passed(group)
            elif reason := older(trace, write):
                tally.skipped(group, reason)
            else:
                tally.failed(group, f"{name} {write.revision}", f"{what} is not explained")
    for group in {f"traces {name.partition('-')[0]}" for name in names} & set(tally.files()):
        tally.verify(group)


def altered(write: Version, **changes: Any) -> Version:
    """The write with other fields in its line."""
    return write._replace(line={**write.line, **changes})


def of_size(write: Version, difference: int) -> Version:
    """The write of a ReplicaSet that is larger or smaller by so much."""
    raw = write.line["object"]
    spec = {**raw["spec"], "replicas": raw["spec"]["replicas"] + difference}
    return altered(write, object={**raw, "spec": spec})


def test_other_sizes_are_not_explained(names: list[str]) -> None:
    """No ReplicaSet could have been written one larger or one smaller."""
    asked = 0
    for trace in (read(n) for n in names if n.startswith(("roll-s1", "roll-s2", "deploy-", "rec"))):
        for what, write in decisions(trace):
            if what == "post" or (what == "put" and not is_of_metadata(trace, write)):
                asked += 1
                for difference in (-1, 1):
                    assert not EXPLANATIONS[what](trace, of_size(write, difference))
    assert asked > 100


def test_earlier_evictions_are_not_explained(names: list[str]) -> None:
    """No pod could have been evicted three seconds earlier than it was."""
    asked = 0
    for trace in (read(name) for name in names if name.startswith(("taint-", "node-down"))):
        for what, write in decisions(trace):
            if what == "eviction":
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


def test_most_other_victims_are_not_explained(names: list[str]) -> None:
    """Where pods differ in rank, the deletion of another one would mostly not be explained."""
    answers = [
        deletion_is_explained(trace, altered(write, uid=raw["metadata"]["uid"], object=raw))
        for trace in (read(name) for name in names if name.startswith("scaledown-"))
        for write in deletions(trace, REPLICASET_CONTROLLER)
        for raw in trace.kind("Pod").objects(write.revision - 1)
        if raw["metadata"]["uid"] != write.line["uid"]
    ]
    assert answers.count(False) > 2 * answers.count(True)
