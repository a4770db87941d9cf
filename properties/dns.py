"""What clients of headless Services are promised: DNS-*."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.components.dns.decision import TTL_SECONDS
from kubelemma.model.components.dns.route import BY_NAME, LAG_SECONDS
from kubelemma.model.scenario import Scenario

from .endpointslice import DELETED_CONDITIONS, arriving
from .statement import Kind, Property, Severity, Statement

_DNS = "https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/"
_TERMINATION = "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination"
_HEADLESS = "https://kubernetes.io/docs/concepts/services-networking/service/#headless-services"

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="DNS-1",
        title="No client keeps the address of a pod that has stopped",
        kind=Kind.SAFETY,
        severity=Severity.MEDIUM,
        statement=(
            "As long as any client may still go by an answer of DNS with the address of a pod of "
            "a headless Service, the pod's containers have not been stopped."
        ),
        why=(
            "Clients keep what DNS tells them for its time to live, and no proxy is between them "
            "and the pod: each rollout has some connect to an address where nobody answers."
        ),
        conditions=(
            f"{DELETED_CONDITIONS} The time to live is taken to be {TTL_SECONDS} s, as kubeadm "
            "sets it; clients that keep addresses for longer, as some runtimes do, lose requests "
            "all the same."
        ),
        source=f"{_HEADLESS}; {_DNS}; {_TERMINATION}",
        components=("kubelet", "endpointslice-controller", "client"),
        remediation=(
            "Have the containers wait before they stop, for longer than clients keep addresses: "
            f"lifecycle.preStop.sleep.seconds of {LAG_SECONDS} or more, with a "
            "terminationGracePeriodSeconds above that; a shorter time to live in the Corefile asks "
            "for less. Or let clients try again at another address. With publishNotReadyAddresses "
            "no pause helps, as DNS names a pod until it is gone."
        ),
    ),
    Statement(
        id="DNS-2",
        title="Clients come to know the pods that are ready",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement="No client goes by the address of a deleted pod any more, soon.",
        why="A client that never asks again would lose requests for ever.",
        conditions="Users and faults stop in the end.",
        source=_HEADLESS,
        components=("endpointslice-controller", "client"),
        remediation="None on the side of manifests: clients have to heed the time to live.",
        defect_only=True,
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of each headless Service whose pods are followed."""
    return arriving(scenario, BY_NAME, STATEMENTS)
