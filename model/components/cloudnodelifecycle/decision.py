"""Which Nodes the cloud node lifecycle controller deletes, and which pods are orphans then.

Source: staging/src/k8s.io/cloud-provider/controllers/nodelifecycle/node_lifecycle_controller.go
(``MonitorNodes``), pkg/controller/podgc/gc_controller.go (``gcOrphaned``).
"""

from __future__ import annotations


def node_goes(*, ready: bool, exists: bool) -> bool:
    """Whether a Node is deleted: it is not Ready, and the cloud has no machine of it.

    Of a Node that is Ready the cloud is not asked at all.
    """
    return not ready and not exists


def is_orphan(*, node_exists: bool) -> bool:
    """Whether a pod that is bound is removed: its Node is gone, for 40 s (time is order)."""
    return not node_exists
