"""What is done to Deployments, and what their controller does."""

from __future__ import annotations

from kubelemma.model.system import Action

ROLLOUT = Action("rollout")
PAUSE = Action("pause")
RESUME = Action("resume")
ROLLBACK = Action("rollback")

CREATE_REPLICASET = Action("create-replicaset", "template", "replicas")
SCALE_REPLICASET = Action("scale-replicaset", "template", "replicas")
ANNOTATE_REVISION = Action("annotate-revision", "template")
DELETE_REPLICASET = Action("delete-replicaset", "template")
GIVE_UP_SYNC = Action("give-up-sync", "template")

ACTIONS = (CREATE_REPLICASET, SCALE_REPLICASET, ANNOTATE_REVISION, DELETE_REPLICASET, GIVE_UP_SYNC)
"""Without events, which have theirs."""
