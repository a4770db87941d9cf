"""Recorded runs at rest: when nothing has been written for a while, no rule has anything to write.

A Deployment with its ReplicaSets and pods, as the API server has them after a pause, is a state of
the model in which neither of the two controllers acts.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from recorded.deployments import deployment_view

from kubelemma.model.cluster.setting import Choices, Start
from kubelemma.model.cluster.state import (
    DeploymentState,
    NodeState,
    Phase,
    Queue,
    SetState,
    shifted,
)
from kubelemma.model.cluster.world import Behaviour, NodeShape, PodClass, Rollout, Workload, World
from kubelemma.model.components.deployment.owner import HASH
from kubelemma.model.components.deployment.rules import DEPLOYMENT
from kubelemma.model.components.replicaset.keys import REPLICASET
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import LabelSelector, ObjectMeta
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario.assembly import assemble
from kubelemma.model.system import System

from . import AGREES, Case, Found

PAUSE = 1.0
"""For so many seconds nothing was written of the Deployment, its ReplicaSets and its pods."""

DESIRED, MOST, REVISION = (
    f"deployment.kubernetes.io/{name}" for name in ("desired-replicas", "max-replicas", "revision")
)
KINDS = ("Deployment", "ReplicaSet", "Pod", "Namespace")

STOPPED = "a process was stopped or killed during the pause"
BEHIND = "the API server was restarted: caches stay behind for minutes"
REFUSED = "the API server refused a pod of it, as by a quota"
DELETED = "something of it is being deleted"
BARE = "a ReplicaSet without the annotations or revisions that its Deployment gives it"
TIMER = "minReadySeconds of a pod are over at about this moment"


@dataclass(slots=True)
class Recording:
    """What the API server has, and which processes are down, as a run goes on."""

    objects: dict[str, Case] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    start: float = 0.0
    quiet: bool = True
    behind: bool = False

    def moments(self, lines: Iterator[Case]) -> Iterator[float]:
        """The times up to which nothing was written for a while, the end among them."""
        last = now = 0.0
        for line in lines:
            now = max(now, line.get("t") or line.get("t1") or 0.0)
            if line["src"] == "header":
                self.start = datetime.fromisoformat(line["startTime"]).timestamp()
            if line["src"] == "driver":
                self._notice(line)
            if line["src"] == "request" and line["verb"] == "create" and line["code"] >= 400:
                self.refused.add(_controller(line.get("body") or {"metadata": {}}))
            if line["src"] == "watch" and line["kind"] in KINDS:
                if line["t"] - last > PAUSE:
                    yield line["t"]
                last = line["t"]
                self.quiet = not self.down
                self._keep(line)
        if now - last > PAUSE:
            yield now

    def _notice(self, line: Case) -> None:
        process = line.get("process", "").partition(" ")[0]
        if line["op"] in ("kill", "sigstop", "exit"):
            self.down.add(process)
            self.quiet = False
            self.behind |= line["op"] == "kill" and process.startswith("kube-apiserver")
        if line["op"] in ("start", "sigcont"):
            self.down.discard(process)

    def _keep(self, line: Case) -> None:
        if line["type"] == "DELETED":
            self.objects.pop(line["uid"], None)
        else:
            self.objects[line["uid"]] = line["object"]
        if line["type"] == "ADDED":
            self.refused.discard(_controller(line["object"]))

    def owned(self, kind: str, owner: str) -> list[Case]:
        """The objects of a kind that belong to another one."""
        found = (raw for raw in self.objects.values() if raw["kind"] == kind)
        return [raw for raw in found if _controller(raw) == owner]

    def case(self, run: str, uid: str, time: float) -> Case:
        """A Deployment as it is, with all that belongs to it."""
        deployment = self.objects[uid]
        sets = sorted(self.owned("ReplicaSet", uid), key=_age)
        space = deployment["metadata"]["namespace"]
        spaces = [raw for raw in self.objects.values() if raw["kind"] == "Namespace"]
        return {
            "id": f"{run} at {time:.1f} s",
            "deployment": deployment,
            "sets": sets,
            "pods": [self.owned("Pod", raw["metadata"]["uid"]) for raw in sets],
            "namespace": next((raw for raw in spaces if raw["metadata"]["name"] == space), None),
            "stopped": not self.quiet,
            "behind": self.behind,
            "refused": any(raw["metadata"]["uid"] in self.refused for raw in sets),
            "now": self.start + time,
        }


def _controller(raw: Case) -> str:
    owners = raw["metadata"].get("ownerReferences", ())
    return next((o["uid"] for o in owners if o.get("controller")), "")


def _age(raw: Case) -> tuple[str, str]:
    return raw["metadata"]["creationTimestamp"], raw["metadata"]["name"]


def pauses(folder: Path, run: str) -> Iterator[Case]:
    """Every Deployment at every pause of a run."""
    recording = Recording()
    with gzip.open(folder / f"{run}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for time in recording.moments(map(json.loads, lines)):
            for uid, raw in recording.objects.items():
                if raw["kind"] == "Deployment":
                    yield recording.case(run, uid, time)


# Comparison


def compare(case: Case) -> Found:
    """Neither of the two controllers has anything to write."""
    reason = left_out(case)
    if reason:
        return Found(skipped=reason)
    system = _system(case)
    for rule in system.rules:
        if rule.actor in (DEPLOYMENT, REPLICASET):
            for step in system.successors(system.initial, rule.name):
                return Found(difference=f"{rule.name}: {step.outcome.action} {step.outcome.why}")
    return AGREES


def left_out(case: Case) -> str:
    """Why no state of the model says what the case is about; empty if one does."""
    everything = [case["deployment"], *case["sets"], *filter(None, [case["namespace"]])]
    if case["stopped"]:
        return STOPPED
    if case["behind"]:
        return BEHIND
    if case["refused"]:
        return REFUSED
    if any("deletionTimestamp" in raw["metadata"] for raw in everything):
        return DELETED
    wanted = {DESIRED, MOST, REVISION}
    if any(wanted - raw["metadata"].get("annotations", {}).keys() for raw in case["sets"]):
        return BARE
    seconds = case["deployment"]["spec"].get("minReadySeconds", 0)
    ready = (since for pods in case["pods"] for since in map(_ready_since, pods) if since)
    if seconds and any(abs(case["now"] - since - seconds) < PAUSE for since in ready):
        return TIMER
    return ""


def _ready_since(pod: Case) -> float | None:
    for condition in pod["status"].get("conditions", ()):
        if condition["type"] == "Ready" and condition["status"] == "True":
            return datetime.fromisoformat(condition["lastTransitionTime"]).timestamp()
    return None


def _phase(pod: Case, min_ready: int, now: float) -> Phase:
    since = _ready_since(pod)
    if "deletionTimestamp" in pod["metadata"]:
        return Phase.TERMINATING
    if pod["status"]["phase"] == "Pending":
        return Phase.ASSIGNED
    if since is None:
        return Phase.STARTING
    return Phase.AVAILABLE if now - since >= min_ready else Phase.READY


def _system(case: Case) -> System:
    deployment = decode(case["deployment"], Deployment)
    view, min_ready = deployment_view(deployment), deployment.spec.min_ready_seconds
    templates = [*map(_template, case["sets"])]
    if _template(case["deployment"]) not in templates:
        templates.append(_template(case["deployment"]))
    rolling = view.rolling_update
    workload = Workload(
        index=0,
        kind="Deployment",
        namespace="default",
        name="web",
        classes=tuple(range(len(templates))),
        templates=len(templates),
        rollout=Rollout(
            recreate=rolling is None,
            max_surge=rolling and rolling.max_surge,
            max_unavailable=rolling and rolling.max_unavailable,
            revision_history_limit=deployment.spec.revision_history_limit or 0,
        ),
    )
    found = [
        (name, template, _phase(raw, min_ready, case["now"]))
        for template, pods in enumerate(case["pods"])
        for raw in pods
        if raw["status"]["phase"] in ("Pending", "Running")
        for name in [raw["spec"].get("nodeName", "")]
    ]
    names = sorted({name for name, _, _ in found} - {""})
    world = World(
        workloads=(workload,),
        classes=tuple(_pod_class(template, min_ready) for template in workload.classes),
        shapes=tuple(NodeShape(Node(metadata=ObjectMeta(name=n)), (), "", n) for n in names),
        sizes=(1,) * len(names),
        unique_keys=frozenset(),
    )
    queue = [0] * len(templates)
    nodes = {name: NodeState(shape) for shape, name in enumerate(names)}
    for name, template, phase in found:
        if name:
            pods = shifted(nodes[name].pods, template, phase, 1)
            nodes[name] = nodes[name]._replace(pods=pods)
        elif phase is Phase.ASSIGNED:
            queue[template] += 1
    current = templates.index(_template(case["deployment"]))
    sets = tuple(_sets(case["sets"], kept=workload.status_replicas_matter))
    objects = DeploymentState(view.replicas, current, view.paused, sets)
    start = Start((objects,), (Queue.of(tuple(queue)),), tuple(nodes.values()))
    return assemble(world, (start,), (), Choices())


def _template(raw: Case) -> Case:
    """The pod template, without the label that tells ReplicaSets apart."""
    template = raw["spec"]["template"]
    labels = {k: v for k, v in template["metadata"].get("labels", {}).items() if k != HASH}
    return {**template, "metadata": {**template["metadata"], "labels": labels}}


def _sets(raws: Sequence[Case], *, kept: bool) -> Iterator[SetState]:
    """The ReplicaSets; ``status.replicas`` only where it is kept. Revisions become ranks."""
    revisions = sorted(int(raw["metadata"]["annotations"][REVISION]) for raw in raws)
    for template, raw in enumerate(raws):
        annotations, status = raw["metadata"]["annotations"], raw.get("status", {})
        yield SetState(
            template=template,
            revision=revisions.index(int(annotations[REVISION])) + 1,
            replicas=raw["spec"]["replicas"],
            desired=int(annotations[DESIRED]),
            maximum=int(annotations[MOST]),
            status_replicas=status.get("replicas", 0) if kept else 0,
            status_available=status.get("availableReplicas", 0),
        )


def _pod_class(template: int, min_ready: int) -> PodClass:
    return PodClass(
        index=template,
        workload=0,
        template=template,
        pod=Pod(),
        behaviour=Behaviour.HEALTHY,
        min_ready_seconds=min_ready,
        deletion_cost=0,
        selector=LabelSelector(),
    )
