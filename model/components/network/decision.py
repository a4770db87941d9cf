"""Whom network policies let reach a port of a pod.

A pod that no policy isolates is reached by anybody; else by those whom any of its policies lets in.
Its own node always reaches it, so no policy keeps the kubelet's probes out.

Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

from kubelemma.model.components.endpointslice.decision import EndpointPort, ports_of
from kubelemma.model.objects.networkpolicy import (
    NetworkPolicy,
    NetworkPolicyIngressRule,
    NetworkPolicyPort,
)
from kubelemma.model.objects.pod import Pod, PodSpec

INGRESS = "Ingress"
"""The type of policies that say who is let in; it is the default, whatever else is."""


class Reach(Enum):
    """From where a port of a pod is reached, at most."""

    NOBODY = "nobody"
    NAMESPACE = "pods of its namespace"
    BEYOND = "others too"


def isolating(policies: Sequence[NetworkPolicy], pod: Pod) -> tuple[NetworkPolicy, ...]:
    """The policies of a pod's namespace that are about who reaches it."""
    return tuple(
        policy
        for policy in policies
        if policy.metadata.namespace == pod.metadata.namespace
        and INGRESS in (policy.spec.policy_types or (INGRESS,))
        and policy.spec.pod_selector.matches(pod.metadata.label_map())
    )


def reach(policies: Sequence[NetworkPolicy], pod: Pod, port: EndpointPort) -> Reach:
    """From where a port of a pod is reached, at most."""
    own = isolating(policies, pod)
    if not own:
        return Reach.BEYOND
    admitting = [
        rule
        for policy in own
        for rule in policy.spec.ingress or ()
        if not rule.ports or any(admits(found, port, pod.spec) for found in rule.ports)
    ]
    if any(_from_beyond(rule) for rule in admitting):
        return Reach.BEYOND
    return Reach.NAMESPACE if admitting else Reach.NOBODY


def _from_beyond(rule: NetworkPolicyIngressRule) -> bool:
    """Whether it lets in anybody but pods of the policy's own namespace."""
    peers = rule.from_ or ()
    return not peers or any(p.namespace_selector is not None or p.ip_block for p in peers)


def admits(rule: NetworkPolicyPort, port: EndpointPort, spec: PodSpec) -> bool:
    """Whether a rule is about a port of a pod."""
    if rule.protocol != port.protocol:
        return False
    if rule.port is None:
        return True
    if isinstance(rule.port, str):
        return port.number in _called(rule, spec)
    return rule.port <= port.number <= (rule.end_port or rule.port)


def _called(rule: NetworkPolicyPort, spec: PodSpec) -> Iterator[int]:
    """The numbers of a pod's ports that have the name of the rule."""
    for found in ports_of(spec):
        if (found.name, found.protocol) == (rule.port, rule.protocol):
            yield found.container_port
