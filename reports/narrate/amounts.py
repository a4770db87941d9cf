"""Amounts of resources as Kubernetes writes them, and what is used of a node."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from kubelemma.model.components.scheduler.decision.node_resources import fit_request
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.resources import CPU, MEMORY, PODS
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.quantity import Quantity
from kubelemma.reports.picture import Usage


def usages(info: NodeInfo) -> Iterator[Usage]:
    """What is requested of each resource that the node has, or that its pods want."""
    requested = {**info.requested, PODS: len(info.pods)}
    order = (CPU, MEMORY, PODS)
    others = sorted({*info.allocatable, *requested} - {*order})
    for resource in (*order, *others):
        has, wanted = info.allocatable.get(resource, 0), requested.get(resource, 0)
        if has or wanted:
            share = round(wanted / has, 4) if has else 0.0
            yield Usage(resource, amount_text(resource, wanted), amount_text(resource, has), share)


def requests(pod: Pod) -> str:
    """What a pod asks for, such as ``cpu 500m, memory 64Mi``."""
    asked = fit_request(pod)
    return ", ".join(f"{name} {amount_text(name, n)}" for name, n in asked.items() if n) or "none"


def amount_text(resource: str, amount: int) -> str:
    """An amount, of cpu in thousandths, as Kubernetes writes it."""
    return str(Quantity(Fraction(amount, 1000) if resource == CPU else amount))
