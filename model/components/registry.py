"""All components, in the order in which they act where several may."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kubelemma.model.cluster.component import Component, EventKind
from kubelemma.model.cluster.owners import OwnerKind
from kubelemma.model.system import Action

from .attachdetach.rules import COMPONENT as ATTACH_DETACH
from .cloudnode.rules import COMPONENT as CLOUD_NODE
from .cloudnodelifecycle.rules import COMPONENT as CLOUD_NODE_LIFECYCLE
from .cloudroute.rules import COMPONENT as CLOUD_ROUTE
from .controllermanager.rules import COMPONENT as CONTROLLER_MANAGER
from .deployment.rules import COMPONENT as DEPLOYMENT
from .disruption.rules import COMPONENT as DISRUPTION
from .dns.rules import COMPONENT as DNS
from .drain.rules import COMPONENT as DRAIN
from .endpointslice.rules import COMPONENT as ENDPOINT_SLICE
from .eviction.rules import COMPONENT as EVICTION
from .garbagecollector.rules import COMPONENT as GARBAGE_COLLECTOR
from .ingress.rules import COMPONENT as INGRESS
from .kubelet.rules import COMPONENT as KUBELET
from .kubeproxy.rules import COMPONENT as KUBE_PROXY
from .network.rules import COMPONENT as NETWORK
from .nodelifecycle.rules import COMPONENT as NODE_LIFECYCLE
from .persistentvolume.rules import COMPONENT as PERSISTENT_VOLUME
from .podgc.rules import COMPONENT as POD_GC
from .reconcile.rules import COMPONENT as RECONCILE
from .replicaset.rules import COMPONENT as REPLICASET
from .scheduler.rules import COMPONENT as SCHEDULER
from .serviceaccount.rules import COMPONENT as SERVICE_ACCOUNT
from .servicelb.rules import COMPONENT as SERVICE_LB
from .statefulset.rules import COMPONENT as STATEFULSET
from .tainteviction.rules import COMPONENT as TAINT_EVICTION
from .targets.rules import COMPONENT as TARGETS
from .users.rules import COMPONENT as USERS
from .volumeprotection.rules import COMPONENT as VOLUME_PROTECTION

COMPONENTS: tuple[Component, ...] = (
    USERS,
    DRAIN,
    DISRUPTION,
    EVICTION,
    DEPLOYMENT,
    REPLICASET,
    STATEFULSET,
    GARBAGE_COLLECTOR,
    SCHEDULER,
    PERSISTENT_VOLUME,
    ATTACH_DETACH,
    KUBELET,
    VOLUME_PROTECTION,
    NODE_LIFECYCLE,
    TAINT_EVICTION,
    POD_GC,
    CLOUD_NODE_LIFECYCLE,
    CLOUD_NODE,
    CLOUD_ROUTE,
    ENDPOINT_SLICE,
    KUBE_PROXY,
    DNS,
    INGRESS,
    NETWORK,
    SERVICE_LB,
    TARGETS,
    CONTROLLER_MANAGER,
    SERVICE_ACCOUNT,
    RECONCILE,
)

KINDS: tuple[type, ...] = tuple(kind for component in COMPONENTS for kind in component.kinds)
"""The types of objects that components read beside pods, nodes and workloads."""

ANNOTATIONS: frozenset[str] = frozenset(
    key for component in COMPONENTS for key in component.annotations
)
"""The annotations that any of them reads."""

OWNERS: Mapping[type, OwnerKind] = MappingProxyType(
    {kind.type: kind for component in COMPONENTS for kind in component.owners}
)
"""The kinds of objects that make pods, by their types."""

ACTIONS: tuple[Action, ...] = (
    *(action for component in COMPONENTS for action in component.actions),
    *(kind.action for component in COMPONENTS for kind in component.events),
)
"""All that is done by rules of theirs; events of loaded code are called as users call them."""

CHANGING: Mapping[str, frozenset[Action]] = MappingProxyType(
    {
        kind: frozenset(action for action in ACTIONS if kind in action.changes)
        for kind in sorted({kind for action in ACTIONS for kind in action.changes})
    }
)
"""What may change an object of a kind as reconcile functions see it."""

EVENTS: Mapping[str, EventKind] = MappingProxyType(
    {kind.action: kind for component in COMPONENTS for kind in component.events}
)
"""What users and faults may do, by action."""

ASKED: Mapping[str, EventKind] = MappingProxyType({kind.field: kind for kind in EVENTS.values()})
"""The same, as a Check calls it: among its events, or its faults."""
