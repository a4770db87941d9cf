"""Which pods the pod garbage collector removes, whatever their kubelet says.

Source: pkg/controller/podgc/gc_controller.go, ``gcTerminating``. What it does about pods of Nodes
that are gone is beside who deletes them, in ``cloudnodelifecycle``; no pod ends by itself.
"""

from __future__ import annotations


def is_collected(*, terminating: bool, ready: bool, out_of_service: bool) -> bool:
    """Whether a pod that is being deleted is removed from a node that is out of service."""
    return terminating and not ready and out_of_service
