"""What the ReplicaSet controller does, and what users do to labels."""

from __future__ import annotations

from kubelemma.model.system import Action

COUNT_PODS = Action("count-pods", "template")
DECIDE = Action("decide", "template", "create", "delete")
CREATE_POD = Action("create-pod", "class", changes=("Deployment",))
FAIL_CREATE = Action("fail-create", "class")
CHOOSE_PENDING_PODS = Action("choose-pending-pods", "class", "pods")
CHOOSE_POD = Action("choose-pod", "class")
DELETE_POD = Action("delete-pod", "class")
WRITE_STATUS = Action("write-status", "template", changes=("Deployment",))
RELEASE_POD = Action("release-pod", "class", "becomes")
ADOPT_POD = Action("adopt-pod", "class", "becomes")
RELABEL = Action("relabel", "class")

ACTIONS = (
    COUNT_PODS,
    DECIDE,
    CREATE_POD,
    FAIL_CREATE,
    CHOOSE_PENDING_PODS,
    CHOOSE_POD,
    DELETE_POD,
    WRITE_STATUS,
    RELEASE_POD,
    ADOPT_POD,
)
"""Without events, which have theirs."""
