"""What users do to any pod, and to nodes."""

from __future__ import annotations

from kubelemma.model.system import Action

USER_DELETE_POD = Action("user-delete-pod", "class")
CORDON = Action("cordon")
UNCORDON = Action("uncordon")
