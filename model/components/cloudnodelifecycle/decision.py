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


def is_tainted(*, ready: bool, exists: bool, stopped: bool, tainted: bool) -> bool:
    """Whether a Node gets the taint of machines that are switched off, and keeps its object."""
    return not ready and exists and stopped and not tainted


def is_untainted(*, ready: bool, tainted: bool) -> bool:
    """Whether it loses that taint: it is Ready again, whatever the cloud says."""
    return ready and tainted


def is_orphan(*, node_exists: bool) -> bool:
    """Whether a pod that is bound is removed: its Node is gone, for 40 s (time is order)."""
    return not node_exists
