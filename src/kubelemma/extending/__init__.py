"""What a file needs that brings a controller, events and properties of its own.

::

    from kubelemma.extending import Cluster, Object, Writes, controller, create, patch_status

    @controller(reconciles="Shop", reads=("Bucket",))
    def shop_operator(shop: Object, cluster: Cluster) -> Writes:
        if not cluster.owned_by(shop, "Bucket"):
            yield create("Bucket", f"{shop.name}-data", owner=shop)

``kubelemma check --load FILE`` runs the file, and checks what it declares together with everything
else. All functions must be pure: what they give depends on what they are given, and on nothing
else.
"""

from kubelemma.model.components.reconcile.declarations import (
    Controller,
    CustomEvent,
    DeclarationError,
    Writes,
    controller,
    event,
)
from kubelemma.model.components.reconcile.objects import (
    Cluster,
    FrozenMap,
    NotJson,
    Object,
    Owner,
    UnknownName,
)
from kubelemma.model.components.reconcile.requests import (
    AlreadyExists,
    ApiError,
    Conflict,
    NotFound,
    Request,
    create,
    delete,
    get,
    patch,
    patch_status,
    update,
    update_status,
)
from kubelemma.properties.declared import (
    CustomProperty,
    always,
    converges,
    each_step,
    leads_to,
    never_stuck,
)

__all__ = [
    "AlreadyExists",
    "ApiError",
    "Cluster",
    "Conflict",
    "Controller",
    "CustomEvent",
    "CustomProperty",
    "DeclarationError",
    "FrozenMap",
    "NotFound",
    "NotJson",
    "Object",
    "Owner",
    "Request",
    "UnknownName",
    "Writes",
    "always",
    "controller",
    "converges",
    "create",
    "delete",
    "each_step",
    "event",
    "get",
    "leads_to",
    "never_stuck",
    "patch",
    "patch_status",
    "update",
    "update_status",
]
