"""The disruption controller: what a budget's status comes to.

Source: pkg/controller/disruption/disruption.go (``getExpectedPodCount``, ``countHealthyPods``,
``updatePdbStatus``).
"""

from __future__ import annotations

from typing import NamedTuple

from kubelemma.model.objects.disruption import PodDisruptionBudgetSpec


class Covered(NamedTuple):
    """The pods that a budget's selector matches.

    Attributes:
        pods: all of them, those that terminate too.
        healthy: those that are Ready and not being deleted.
        scale: Σ ``spec.replicas`` of the workloads that control them.
    """

    pods: int
    healthy: int
    scale: int


class Disruptions(NamedTuple):
    """``status`` of a budget, in pods."""

    expected_pods: int
    current_healthy: int
    desired_healthy: int
    disruptions_allowed: int


def disruptions(spec: PodDisruptionBudgetSpec, covered: Covered) -> Disruptions:
    """The status that a sync computes; with neither bound it expects and allows nothing.

    A number as ``minAvailable`` expects as many pods as there are, all else as many as there should
    be. A share is rounded up, of ``maxUnavailable`` as well.
    """
    expected, desired = 0, 0
    if spec.max_unavailable is not None:
        expected = covered.scale
        desired = max(0, expected - spec.max_unavailable.scaled(expected, round_up=True))
    elif spec.min_available is not None:
        expected = covered.scale if spec.min_available.percent else covered.pods
        desired = spec.min_available.scaled(expected, round_up=True)
    allowed = max(0, covered.healthy - desired) if expected > 0 else 0
    return Disruptions(expected, covered.healthy, desired, allowed)
