"""What users do to any workload, pod or node."""

from __future__ import annotations

from kubelemma.model.system import Action

SCALE = Action("scale", changes=("Deployment",))
APPLY = Action("apply", changes=("Deployment",))
USER_DELETE_POD = Action("user-delete-pod", "class")
CORDON = Action("cordon", changes=("Node",))
UNCORDON = Action("uncordon", changes=("Node",))
