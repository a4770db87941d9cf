"""What is done to Deployments, and what their controller does."""

from __future__ import annotations

from kubelemma.model.system import Action

ROLLOUT = Action("rollout", changes=("Deployment",))
PAUSE = Action("pause", changes=("Deployment",))
RESUME = Action("resume", changes=("Deployment",))
ROLLBACK = Action("rollback", changes=("Deployment",))

CREATE_REPLICASET = Action("create-replicaset", "template", "replicas", changes=("Deployment",))
SCALE_REPLICASET = Action("scale-replicaset", "template", "replicas", changes=("Deployment",))
ANNOTATE_REVISION = Action("annotate-revision", "template", changes=("Deployment",))
DELETE_REPLICASET = Action("delete-replicaset", "template", changes=("Deployment",))
GIVE_UP_SYNC = Action("give-up-sync", "template", changes=("Deployment",))

ACTIONS = (CREATE_REPLICASET, SCALE_REPLICASET, ANNOTATE_REVISION, DELETE_REPLICASET, GIVE_UP_SYNC)
"""Without events, which have theirs."""
