"""Which pods the pod garbage collector deletes by force, of a node that is out of service.

Source: pkg/controller/podgc/gc_controller.go, ``gcTerminating``.
"""

from __future__ import annotations

from kubelemma.model.objects.node import Taint

OUT_OF_SERVICE = Taint(
    key="node.kubernetes.io/out-of-service", value="nodeshutdown", effect="NoExecute"
)


def gc_terminating(*, terminating: bool, node_ready: bool, out_of_service: bool) -> bool:
    """Whether a pod goes without its kubelet: nobody is there any more who could confirm."""
    return terminating and not node_ready and out_of_service
