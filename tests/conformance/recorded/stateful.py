"""Recorded StatefulSets and their pods, in the terms of the decision."""

from __future__ import annotations

from typing import Any

from kubelemma.model.cluster.owners import ordinal_of
from kubelemma.model.components.statefulset.decision import (
    Act,
    PodView,
    SetView,
    Status,
    Strategy,
    Verb,
)
from kubelemma.model.objects.times import seconds

Case = dict[str, Any]

NAME_LABEL = "statefulset.kubernetes.io/pod-name"
REVISION_LABEL = "controller-revision-hash"


def set_view(given: Case) -> SetView:
    """The set of a problem, as the controller's cache shows it."""
    found = given["statefulSet"]
    spec, status = found["spec"], found["status"]
    rolling = spec["updateStrategy"].get("rollingUpdate")
    return SetView(
        replicas=spec["replicas"],
        current=given["currentRevision"],
        update=given["updateRevision"],
        start=spec.get("ordinals", {}).get("start", 0),
        ordered=spec.get("podManagementPolicy") != "Parallel",
        strategy=Strategy(
            on_delete=spec["updateStrategy"]["type"] == "OnDelete",
            partition=None if rolling is None else rolling.get("partition", 0),
        ),
        current_replicas=status.get("currentReplicas", 0),
        deleting="deletionTimestamp" in found["metadata"],
    )


def pod_views(given: Case) -> tuple[PodView, ...]:
    """Its pods, in the order in which they are recorded."""
    return tuple(_pod_view(given, raw) for raw in given["pods"])


def _pod_view(given: Case, raw: Case) -> PodView:
    metadata, status = raw["metadata"], raw["status"]
    owner, spec = given["statefulSet"]["metadata"]["name"], given["statefulSet"]["spec"]
    conditions = {c["type"]: c for c in status.get("conditions", ())}
    ready = conditions.get("Ready", {}).get("status") == "True"
    least = spec.get("minReadySeconds", 0)
    since = conditions.get("Ready", {}).get("lastTransitionTime", given["now"])
    return PodView(
        ordinal=ordinal_of(metadata["name"], owner),
        revision=metadata["labels"].get(REVISION_LABEL, ""),
        phase=status.get("phase", ""),
        ready=ready,
        available=ready and (not least or seconds(given["now"]) - seconds(since) >= least),
        terminating="deletionTimestamp" in metadata,
        identified=metadata["labels"].get(NAME_LABEL) == metadata["name"],
    )


def told(given: Case, act: Act) -> str:
    """A write, as the problems have it."""
    name = given["statefulSet"]["metadata"]["name"]
    revision = f" {act.revision}" if act.verb is Verb.CREATE else ""
    return f"{act.verb.value} {name}-{act.ordinal}{revision}"


def status_of(status: Status) -> Case:
    """A status, as the problems have it."""
    return {
        "replicas": status.replicas,
        "readyReplicas": status.ready,
        "availableReplicas": status.available,
        "currentReplicas": status.current_replicas,
        "updatedReplicas": status.updated,
        "currentRevision": status.current,
        "updateRevision": status.update,
    }
