"""Pods that the API server would not store, so that nobody places them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from kubelemma.model.components.apiserver.admission import Policies, refusal
from kubelemma.model.manifests import Position
from kubelemma.model.objects.pod import Pod
from kubelemma.reports.placement import WhatIf
from kubelemma.reports.style import plural
from kubelemma.solver.placement.problem import Answer

from .inventory import Part

TITLE = "the API server stores all pods"


class Refused(NamedTuple):
    """So many pods of somebody that are refused, and why, in the API server's words."""

    whose: str
    pods: int
    reason: str
    position: Position


class Sifted(NamedTuple):
    """The parts that are stored, and those that are not."""

    parts: tuple[Part, ...]
    refused: tuple[Refused, ...]


def sifted(parts: Iterable[Part], admit: Callable[[Pod], Pod], settings: Policies) -> Sifted:
    """Take those apart whose pods are refused; what is stored already stays so."""
    kept, refused = [], []
    for part in parts:
        reason = objection(admit(part.pod), settings) if part.fresh else ""
        if reason:
            whose, at = str(part.origin.key), part.origin.document.at(part.origin.path)
            refused.append(Refused(whose, part.count, reason, at))
        else:
            kept.append(part)
    return Sifted(tuple(kept), tuple(refused))


def objection(pod: Pod, settings: Policies) -> str:
    """Why an admitted pod is not stored; empty where it is."""
    return refusal(pod.spec, pod.metadata.namespace, settings)


def storing(refused: tuple[Refused, ...]) -> tuple[WhatIf, ...]:
    """The answer to whether all pods are stored; nothing where they are."""
    if not refused:
        return ()
    lines = tuple(f"{plural(one.pods, 'pod')} of {one.whose}: each {one.reason}" for one in refused)
    data = [
        {
            "workload": one.whose,
            "pods": one.pods,
            "reason": one.reason,
            "location": str(one.position),
        }
        for one in refused
    ]
    return (WhatIf(TITLE, Answer.NO, lines, {"refused": data}),)
