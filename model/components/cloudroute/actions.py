"""What the route controller does, and a cloud that makes no more routes."""

from __future__ import annotations

from kubelemma.model.system import Action

REFUSE_ROUTES = Action("refuse-routes")

CREATE_ROUTE = Action("create-route", changes=("Node",))
UNTAINT_NETWORK = Action("untaint-network")

ACTIONS = (CREATE_ROUTE, UNTAINT_NETWORK)
"""Without events, which have theirs."""
