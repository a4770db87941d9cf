"""What the StatefulSet controller does."""

from __future__ import annotations

from kubelemma.model.system import Action

NUMBER_REVISION = Action("number-revision", "template")
DECIDE_PODS = Action("decide-pods", "class")
CREATE_CLAIM = Action("create-claim", "claim")
CONDEMN_CLAIM = Action("condemn-claim", "claim")
KEEP_CLAIM = Action("keep-claim", "claim")
COLLECT_CLAIM = Action("collect-claim", "claim")
CREATE_POD = Action("create-ordinal", "class")
FAIL_CREATE = Action("fail-create-ordinal", "class")
DELETE_POD = Action("delete-ordinal", "class")
FIND_GONE = Action("find-gone", "class")
WRITE_STATUS = Action("write-set-status", "template")
DELETE_REVISION = Action("delete-revision", "template")

ACTIONS = (
    NUMBER_REVISION,
    DECIDE_PODS,
    CREATE_CLAIM,
    CONDEMN_CLAIM,
    KEEP_CLAIM,
    COLLECT_CLAIM,
    CREATE_POD,
    FAIL_CREATE,
    DELETE_POD,
    FIND_GONE,
    WRITE_STATUS,
    DELETE_REVISION,
)
"""Without events, which have theirs."""
