"""What load balancers do that send to pods themselves."""

from __future__ import annotations

from kubelemma.model.system import Action

REGISTER_TARGET = Action("register-target", "targets")

ACTIONS = (REGISTER_TARGET,)
