"""What kube-proxies do."""

from __future__ import annotations

from kubelemma.model.system import Action

HEAR_OF_ENDPOINTS = Action("hear-of-endpoints", "class")

ACTIONS = (HEAR_OF_ENDPOINTS,)
