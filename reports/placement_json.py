"""The answer to a question of placement for programs, and as manifests for kubectl.

``reports/schema/placement-report.schema.json`` describes the JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from kubelemma.model.manifests.coverage import NotModelled
from kubelemma.model.objects.pod import Pod
from kubelemma.solver.placement.decision import Decision, Reason, Relaxation
from kubelemma.solver.placement.problem import Placement

from .placement import EvictionRow, NodeRow, OverfullRow, PlacementReport, Usage, Why, WorkloadRow
from .placement_notice import findings
from .placement_words import overfull
from .plain import as_json, as_yaml

API_VERSION = "kubelemma.dev/v1alpha1"
KIND = "PlacementReport"
_KEPT = ("labels", "annotations")


def render(report: PlacementReport) -> str:
    """The report as JSON text that ends in a line break."""
    return as_json(to_data(report))


@cache
def schema() -> Mapping[str, Any]:
    """The published JSON Schema (draft 2020-12) of a report on placement."""
    path = files(__package__).joinpath("schema", "placement-report.schema.json")
    loaded: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


def to_data(report: PlacementReport) -> dict[str, Any]:
    """The report as plain data of the shape that the schema describes."""
    decision = report.decision
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "kubelemmaVersion": report.version,
        "question": report.question.value,
        "answer": report.answer.value,
        "decision": decision.answer.value,
        "pods": {"asked": report.pods, "placed": report.placed},
        "setting": list(report.setting),
        "workloads": [_workload(row, report) for row in report.workloads],
        "nodes": [_node(row, report) for row in report.nodes],
        "pending": _pending(report),
        "relaxations": [_relaxation(r, report) for r in decision.relaxations],
        "whatIfs": [
            {"title": w.title, "answer": w.answer.value, "lines": list(w.lines), "data": w.data}
            for w in report.whatifs
        ],
        "levels": [{"priority": x.priority, "answer": x.answer.value} for x in decision.levels],
        "statistics": _statistics(decision),
        "notModelled": [_not_modelled(part) for part in report.not_modelled],
        **dict(_where_given(report)),
    }


def _where_given(report: PlacementReport) -> Iterator[tuple[str, Any]]:
    """What is left out where there is nothing to say."""
    decision = report.decision
    nodes = report.problem.cluster.nodes
    if decision.reason is not None:
        yield "reason", _reason(decision.reason, report)
    if decision.certificate is not None:
        yield "certificate", {"kind": type(decision.certificate).__name__}
    if decision.order:
        order = ((report.workloads[w].name, nodes[n].metadata.name) for w, n in decision.order)
        yield "order", [{"workload": workload, "node": node} for workload, node in order]
    if report.whys:
        yield "whys", [_why(why) for why in report.whys]
    if report.evictions:
        yield "evictions", [_eviction(row) for row in report.evictions]
    if report.overfull:
        yield "overfull", [_overfull(row) for row in report.overfull]
    if decision.stuck is not None:
        yield "stuck", _placement(decision.stuck, report)


def _why(why: Why) -> dict[str, Any]:
    return {
        "pod": why.pod,
        "where": list(why.where),
        "nodes": [
            {"name": node, "fits": not said.words, "reasons": list(said.words)}
            for said in why.said
            for node in said.nodes
        ],
    }


def _eviction(row: EvictionRow) -> dict[str, Any]:
    return {
        "pod": row.pod,
        "priority": row.priority,
        "node": row.node,
        "by": row.by,
        "message": row.sentence,
        "afterwards": row.afterwards.value,
        "told": row.told,
    }


def _overfull(row: OverfullRow) -> dict[str, Any]:
    return {
        "node": row.node,
        "short": [_usage(usage) for usage in row.short],
        "pods": list(row.pods),
        "refused": [{"pod": r.pod, "reason": r.reason} for r in row.refused],
        "told": overfull(row),
    }


def _workload(row: WorkloadRow, report: PlacementReport) -> dict[str, Any]:
    nodes = report.problem.cluster.nodes
    return {
        "name": row.name,
        "owner": row.share.owner,
        "location": row.share.location,
        "wanted": row.share.wanted,
        "staying": row.share.staying,
        "pods": row.count,
        "placed": row.placed,
        "pending": row.pending,
        "nodes": [{"name": nodes[i].metadata.name, "pods": count} for i, count in row.nodes],
    }


def _node(row: NodeRow, report: PlacementReport) -> dict[str, Any]:
    return {
        "name": row.name,
        "zone": row.zone,
        "type": row.type,
        "schedulable": row.schedulable,
        "usage": [_usage(usage) for usage in row.usage],
        "placed": [
            {"workload": report.workloads[workload].name, "pods": count}
            for workload, count in row.placed
        ],
    }


def _usage(usage: Usage) -> dict[str, Any]:
    return {"resource": usage.resource, "used": usage.used, "total": usage.total}


def _pending(report: PlacementReport) -> list[dict[str, Any]]:
    nodes = report.problem.cluster.nodes
    return [
        {
            "workload": report.workloads[reason.workload].name,
            "pods": reason.pods,
            "message": reason.message,
            **({"preemption": reason.preemption} if reason.preemption else {}),
            "nodes": reason.nodes,
            "reasons": [{"reason": words, "nodes": count} for words, count in reason.counts],
            "examples": [nodes[i].metadata.name for i in reason.examples],
        }
        for reason in report.decision.pending
    ]


def _reason(reason: Reason, report: PlacementReport) -> dict[str, Any]:
    nodes = report.problem.cluster.nodes
    data: dict[str, Any] = {
        "kind": reason.kind.value,
        "lines": list(reason.lines),
        "workloads": [report.workloads[i].name for i in reason.workloads],
        "nodes": [nodes[i].metadata.name for i in reason.nodes],
    }
    for key in ("resource", "needed", "available"):
        value = getattr(reason, key)
        if value is not None:
            data[key] = value
    return data


def _relaxation(change: Relaxation, report: PlacementReport) -> dict[str, Any]:
    data: dict[str, Any] = {
        "kind": change.kind.value,
        "sentence": change.sentence,
        "count": change.count,
        "smallest": change.smallest,
    }
    if change.workload is not None:
        data["workload"] = report.workloads[change.workload].name
    if change.node is not None:
        data["node"] = report.problem.cluster.nodes[change.node].metadata.name
    for key in ("resource", "constraint"):
        value = getattr(change, key)
        if value is not None:
            data[key] = value
    return data


def _placement(placement: Placement, report: PlacementReport) -> list[dict[str, Any]]:
    nodes = report.problem.cluster.nodes
    return [
        {
            "workload": report.workloads[one.workload].name,
            "node": nodes[one.node].metadata.name,
            "pods": one.count,
        }
        for one in placement.assignments
    ]


def _statistics(decision: Decision) -> dict[str, Any]:
    found = decision.statistics
    data: dict[str, Any] = {
        "workloads": found.workloads,
        "pods": found.pods,
        "nodes": found.nodes,
        "shapes": found.shapes,
        "classes": found.classes,
        "rungs": list(found.rungs),
    }
    if found.headroom is not None:
        data["headroom"] = found.headroom + 0.0  # no -0.0
    if found.stopped_by is not None:
        data["stoppedBy"] = found.stopped_by
    return data


def _not_modelled(part: NotModelled) -> dict[str, Any]:
    return {
        "object": part.object,
        "path": part.path,
        "location": str(part.position),
        "relevant": part.severity == "not modelled",
        "reason": part.reason,
    }


def render_pods(report: PlacementReport) -> str:
    """The pods that were placed, each with its node, as manifests for ``kubectl create``.

    Pods without a place are not among them; comments say what else is not as it should be.
    """
    found = "".join(f"# {finding.sentence}\n" for finding in findings(report.shown()))
    return found + as_yaml(_pods(report), explicit_start=True)


def _pods(report: PlacementReport) -> Iterator[dict[str, Any]]:
    taken: dict[tuple[str, str], int] = {}
    nodes = report.problem.cluster.nodes
    for pod, share in report.extra:
        yield _manifest(pod, share.pod, pod.metadata.name, pod.spec.node_name)
    for one in report.decision.placement.assignments:
        pod = report.problem.workloads[one.workload].pod
        row = report.workloads[one.workload]
        for _ in range(one.count):
            name = _name(pod, row, taken)
            yield _manifest(pod, row.share.pod, name, nodes[one.node].metadata.name)


def _name(pod: Pod, row: WorkloadRow, taken: dict[tuple[str, str], int]) -> str:
    """A name of the pod's own, or its workload's with a number."""
    written = row.share.pod.get("metadata")
    given = pod.metadata.name or (written.get("name", "") if isinstance(written, dict) else "")
    if row.count == 1 and given:
        return str(given)
    stem = row.share.owner.rpartition("/")[2]
    key = (pod.metadata.namespace, stem)
    taken[key] = taken.get(key, row.share.staying) + 1
    return f"{stem}-{taken[key]}"


def _manifest(pod: Pod, given: Mapping[str, Any], name: str, node: str) -> dict[str, Any]:
    """What was written of the pod, containers and all, with its node."""
    if not given:
        return _plain(pod, name, node)
    written = dict(given)
    metadata = written.get("metadata") or {}
    kept = {key: metadata[key] for key in _KEPT if metadata.get(key)}
    own = {"name": name, "namespace": pod.metadata.namespace, **kept}
    spec = {**(written.get("spec") or {}), "nodeName": node}
    spec.pop("schedulingGates", None)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": own, "spec": spec}


def _plain(pod: Pod, name: str, node: str) -> dict[str, Any]:
    """What the model knows of a pod, with its node."""
    data: dict[str, Any] = msgspec.to_builtins(pod, enc_hook=str)
    metadata = {k: v for k, v in data.get("metadata", {}).items() if k in _KEPT}
    own = {"name": name, "namespace": pod.metadata.namespace, **metadata}
    spec = {**data.get("spec", {}), "nodeName": node}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": own, "spec": spec}
