"""Pods of the input that are not what their template makes of pods.

A pod may have been resized in place, or a webhook may have put a sidecar or a gate into it. A class
of pods has one spec, so such pods are taken as their template says, and what needs room is then not
decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kubelemma.model.components.scheduler.decision.resources import held_requests
from kubelemma.model.objects.pod import Pod

from .history import History
from .templates import Key

NAMED = 3
"""How many of them are named."""


def unlike(histories: Mapping[Key, History]) -> str:
    """What is to be said of pods that differ from their templates; empty where none does."""
    found = tuple(_differing(histories))
    if not found:
        return ""
    shown = ", ".join(f"{name} in {', '.join(fields)}" for name, fields in found[:NAMED])
    more = f", and {len(found) - NAMED} more pods" if len(found) > NAMED else ""
    return (
        "pods are taken as their templates say, from which they differ where they are read: "
        f"{shown}{more}"
    )


def _differing(histories: Mapping[Key, History]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for history in histories.values():
        for number, template in enumerate(history.templates):
            like = template.pod(number)
            for pod in template.pods:
                fields = tuple(_fields(pod, like))
                if fields:
                    yield f"Pod {pod.metadata.namespace}/{pod.metadata.name}", fields


def _fields(pod: Pod, like: Pod) -> Iterator[str]:
    """In what a pod differs of what decides where it may be."""
    if held_requests(pod)[0] != held_requests(like)[0]:
        yield "requests"
    if bool(pod.spec.scheduling_gates) and not like.spec.scheduling_gates:
        yield "schedulingGates"
    if (pod.spec.node_selector or {}) != (like.spec.node_selector or {}):
        yield "nodeSelector"
    if pod.spec.affinity != like.spec.affinity:
        yield "affinity"
