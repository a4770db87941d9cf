"""Which pods a load balancer sends to whose targets are pods.

A controller of the cloud registers the address of each endpoint that is ready, and the load
balancer sends there once its own health check has found it: some time after the pod is Ready. A
readiness gate turns that round: the pod is Ready only once the load balancer sends there.

Sources: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-readiness-gate, and
the two controllers that have such gates: aws-load-balancer-controller (``pkg/targetgroupbinding``)
and ingress-gce (``pkg/neg/readiness``).
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.objects.pod import PodSpec

GATES = (
    "target-health.elbv2.k8s.aws/",
    "target-health.alb.ingress.k8s.aws/",
    "cloud.google.com/load-balancer-neg-ready",
)
"""How the conditions begin that such controllers set."""


def is_known_first(spec: PodSpec) -> bool:
    """Whether a pod is Ready only once a load balancer sends to it."""
    gates = spec.readiness_gates or ()
    return any(gate.condition_type.startswith(GATES) for gate in gates)


def known_after(known: int, unknown: int, leaving: int, coming: int) -> Iterator[int]:
    """To how many ready pods it sends once some have gone and others have come that it knows.

    Of ``known`` and ``unknown`` ready pods any ``leaving`` may be those that go.
    """
    least, most = max(leaving - unknown, 0), min(leaving, known)
    return (known - gone + coming for gone in range(least, most + 1))
