"""Which pods DNS names for a headless Service, and for how long clients keep that.

Sources: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/ and the plugin
``kubernetes`` of CoreDNS, which answers with the endpoints that are ready.
"""

from __future__ import annotations

from kubelemma.model.components.endpointslice.leaving import Entry
from kubelemma.model.objects.service import EXTERNAL_NAME, HEADLESS, Service

TTL_SECONDS = 30
"""How long clients keep an answer: the ``ttl`` of the plugin in the Corefile of kubeadm."""


def answers_for(service: Service) -> bool:
    """Whether the name of a Service stands for the addresses of its pods."""
    return service.spec.cluster_ip == HEADLESS and service.spec.type != EXTERNAL_NAME


def named(entry: Entry) -> bool:
    """Whether the answer has the address of a pod of which the slices say so.

    A pod that terminates is not in it, even where no other is left.
    """
    return entry is Entry.READY
