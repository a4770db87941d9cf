"""Recorded runs: evictions for the rule that evicts, and pods for what stamps them out."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from kubelemma.model.cluster.state import Phase, shifted
from kubelemma.model.cluster.world import NODES
from kubelemma.model.components.deployment.owner import HASH
from kubelemma.model.components.tainteviction.rules import TAINT_EVICTION
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node, Taint
from kubelemma.model.objects.pod import Pod, Toleration
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario.templates import pod_of

from . import AGREES, Case, Found
from . import scheduler as bound

OTHER_DEFAULT = "the API server of the run has other default tolerationSeconds"
SECONDS = 300
HEAD = 120
"""Within so many characters a line says what kind of object was written."""

OTHER = Taint(key="example.com/other", effect="NoExecute")
FOR_EVER = Toleration(key=OTHER.key, operator="Exists")

STAMPED = ("tolerations", "affinity", "topology_spread_constraints", "node_selector")
"""What of a pod's spec admission may change, and the scheduler reads."""


def runs(folder: Path) -> Sequence[str]:
    """The names of all recorded runs."""
    return sorted(path.name.removesuffix(".jsonl.gz") for path in folder.glob("*.jsonl.gz"))


def _lines(folder: Path, run: str, *kinds: str) -> Iterator[Case]:
    """The header, and the writes of objects of some kinds."""
    with gzip.open(folder / f"{run}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith('{"src":"header"'):
                yield json.loads(line)
            elif any(f'"kind":"{kind}","namespace"' in line[:HEAD] for kind in kinds):
                written = json.loads(line)
                if written["src"] in ("watch", "snapshot"):
                    yield written


# Evictions


def evictions(folder: Path, run: str) -> Iterator[Case]:
    """Every pod that the taint eviction controller deleted, and its node as it was then."""
    nodes: dict[str, Case] = {}
    for line in _lines(folder, run, "Node", "Pod"):
        if line["src"] == "header":
            continue
        if line["kind"] == "Node":
            nodes[line["name"]] = line["object"]
        elif (line.get("actor"), line.get("via")) == ("sa:node-controller", "delete"):
            node = nodes[line["object"]["spec"]["nodeName"]]
            yield {"id": f"{run} {line['rv']}", "pod": line["object"], "node": node}


def compare_eviction(case: Case) -> Found:
    """The rule evicts what was evicted."""
    if evicts(decode(case["pod"], Pod), decode(case["node"], Node)):
        return AGREES
    return Found(difference="it stays")


def compare_tolerant_eviction(case: Case) -> Found:
    """The rule evicts also if the pod tolerates one more taint of the node, for ever."""
    pod, node = decode(case["pod"], Pod), decode(case["node"], Node)
    tolerations = (*(pod.spec.tolerations or ()), FOR_EVER)
    taints = (*(node.spec.taints or ()), OTHER)
    tolerant = replace(pod, spec=replace(pod.spec, tolerations=tolerations))
    tainted = replace(node, spec=replace(node.spec, taints=taints))
    return AGREES if evicts(tolerant, tainted) else Found(difference="it stays")


def evicts(pod: Pod, node: Node) -> bool:
    """Whether a rule of the taint eviction controller has an outcome for the pod on the node."""
    unbound = replace(pod, spec=replace(pod.spec, node_name=""))
    alone = bound.Problem(unbound, (node,), (), (), (), {})
    system, _ = bound.system_of(alone, scoring=False)
    state = list(system.initial)
    (position,) = system.positions[NODES]
    state[position] = state[position]._replace(
        pods=shifted(state[position].pods, 0, Phase.AVAILABLE, 1)
    )
    return any(
        step.outcome.action == "evict"
        for rule in system.rules
        if rule.actor == TAINT_EVICTION
        for step in system.successors(tuple(state), rule.name)
    )


# Pods of templates


def stamped(folder: Path, run: str) -> Iterator[Case]:
    """Every pod of a Deployment whose ReplicaSet has the Deployment's present template."""
    found: dict[str, Case] = {}
    seconds = SECONDS
    for line in _lines(folder, run, "Deployment", "ReplicaSet", "Pod"):
        if line["src"] == "header":
            seconds = line["defaultTolerationSeconds"]
            continue
        found[line["uid"]] = line["object"]
        if line["kind"] == "Pod" and line.get("type") == "ADDED":
            owner = found.get(_owner(line["object"]), {})
            deployment = found.get(_owner(owner), {}) if owner else {}
            if deployment.get("kind") == "Deployment" and _same(deployment, owner):
                yield {
                    "id": f"{run} {line['rv']}",
                    "pod": line["object"],
                    "deployment": deployment,
                    "seconds": seconds,
                }


def _owner(raw: Case) -> str:
    owners = raw["metadata"].get("ownerReferences", ())
    return next((o["uid"] for o in owners if o.get("controller")), "")


def _same(deployment: Case, replica_set: Case) -> bool:
    return bool(deployment["spec"]["template"]["spec"] == replica_set["spec"]["template"]["spec"])


def compare_stamped(case: Case) -> Found:
    """The pod that a template gives has what the API server stored, but for its hash."""
    if case["seconds"] != SECONDS:
        return Found(skipped=OTHER_DEFAULT)
    real = decode(case["pod"], Pod)
    model = pod_of(decode(case["deployment"], Deployment), 0)
    hashes = real.metadata.label_map()[HASH], model.metadata.label_map()[HASH]
    for field in STAMPED:
        found, expect = (_plain(getattr(pod.spec, field)) for pod in (model, real))
        expect = expect.replace(*hashes)
        if found != expect:
            return Found(difference=f"{field}: {found} instead of {expect}")
    return AGREES


def _plain(value: Any) -> str:
    return msgspec.json.encode(value or None, enc_hook=str, order="sorted").decode()
