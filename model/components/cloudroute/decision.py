"""When a Node gets its route, and when the taint of a Node without one goes.

Source: staging/src/k8s.io/cloud-provider/controllers/route/route_controller.go (``reconcile``,
``updateNetworkingCondition``); pkg/controller/nodelifecycle/node_lifecycle_controller.go
(``doNoScheduleTaintingPass``).
"""

from __future__ import annotations


def makes_route(*, has_route: bool, refused: bool) -> bool:
    """Whether the cloud makes a route to the pods of a Node, which every pass asks for.

    Then its condition NetworkUnavailable becomes False; where the cloud refuses it stays True.
    """
    return not has_route and not refused


def untaints(*, tainted: bool, unavailable: bool) -> bool:
    """Whether the taint goes, by the condition that it follows."""
    return tainted and not unavailable
