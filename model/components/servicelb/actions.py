"""What the service controller of a cloud does, its load balancers, and users and the cloud."""

from __future__ import annotations

from kubelemma.model.system import Action

DELETE_SERVICE = Action("delete-service", "service")
STRIP_FINALIZER = Action("strip-finalizer", "service")
HOLD_BALANCER = Action("hold-load-balancer", "service")
RELEASE_BALANCER = Action("release-load-balancer", "service")
CLOUD_CONTROLLER_RESTART = Action("cloud-controller-restart")

KNOW_SERVICE = Action("know-service", "service")
ADD_FINALIZER = Action("add-finalizer", "service")
ENSURE_BALANCER = Action("ensure-load-balancer", "service")
WRITE_ADDRESS = Action("write-load-balancer", "service")
DELETE_BALANCER = Action("delete-load-balancer", "service")
REMOVE_SERVICE = Action("remove-service", "service")

FAIL_HEALTH_CHECK = Action("fail-health-check", "class")

ACTIONS = (
    KNOW_SERVICE,
    ADD_FINALIZER,
    ENSURE_BALANCER,
    WRITE_ADDRESS,
    DELETE_BALANCER,
    REMOVE_SERVICE,
    FAIL_HEALTH_CHECK,
)
"""Without events, which have theirs."""
