"""What the checker knows of volumes: a reading of its own, as in ``check_rules``.

**Legal** means, for the pods of a placement with claims:

- each claim is there, not lost or being deleted, and bound, unless its class waits for a consumer;
- the volume of a bound claim can be reached from each pod's node, and its zone labels fit;
- a ReadWriteOncePod claim has one user, existing pods included;
- the different volumes of each driver on a node are no more than the node takes, where a pod brings
  one that no existing pod has attached;
- there is a volume for each claim that waits: a free one that matches, no volume for two claims, or
  one that its class makes; and it can be reached from the nodes of all pods that use the claim. One
  that is made can be reached from nodes that agree with the first in the labels that its driver
  tells nodes apart by. The scheduler may choose less luckily: see ``orders``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Affinity, NodeAffinity, Pod, PodSpec
from kubelemma.model.objects.quantity import Quantity
from kubelemma.model.objects.storage import (
    OLD_CLASS,
    SELECTED_NODE,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
)

from .check_peers import Count
from .check_rules import residents, selects_node
from .problem import Problem, Workload

Handle = tuple[str, object]
"""The driver of a volume, and what tells the volume from others."""

Objection = tuple[int, int, str, str]
"""Workload, node, rule, sentence."""

_ZONES = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
}
_TODAY = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


class Use(NamedTuple):
    """A claim of a pod; ``own`` if every pod of its kind has one of its own."""

    key: tuple[str, str]
    claim: PersistentVolumeClaim | None
    own: bool = False


class Demand(NamedTuple):
    """A claim that waits for a volume, by whose pods, and the nodes from which it is needed."""

    claim: PersistentVolumeClaim
    workload: int
    nodes: tuple[int, ...]


class Volumes:
    """The volumes of one problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.nodes = problem.cluster.nodes
        storage = problem.cluster.storage
        self.storage = storage
        self.claims = {(c.metadata.namespace, c.metadata.name): c for c in storage.claims}
        self.volumes = {volume.metadata.name: volume for volume in storage.volumes}
        self.classes = {c.metadata.name: c for c in storage.classes}
        self.csi = {node.metadata.name: node.spec.drivers for node in storage.csi_nodes}

    def uses(self, pod: Pod) -> list[Use]:
        """The claims of a pod."""
        found = []
        for volume in pod.spec.volumes or ():
            source, made = volume.persistent_volume_claim, volume.ephemeral
            if source is not None:
                key = (pod.metadata.namespace, source.claim_name)
                found.append(Use(key, self.claims.get(key)))
            elif made is not None:
                key = (pod.metadata.namespace, f"{pod.metadata.name}-{volume.name}")
                claim = self.claims.get(key)
                if claim is None and made.volume_claim_template is not None:
                    metadata = ObjectMeta(name=key[1], namespace=key[0])
                    spec = made.volume_claim_template.spec
                    claim = PersistentVolumeClaim(metadata=metadata, spec=spec)
                    found.append(Use(key, claim, own=True))
                else:
                    found.append(Use(key, claim))
        return found

    def class_of(self, claim: PersistentVolumeClaim) -> str:
        """The name of the claim's class, the default one if it names none."""
        named = claim.metadata.annotation_map().get(OLD_CLASS, claim.spec.storage_class_name)
        if named is not None:
            return named
        return min((name for name, found in self.classes.items() if found.is_default), default="")

    def is_waiting(self, claim: PersistentVolumeClaim) -> bool:
        """Whether its volume is chosen only when a pod that uses it is placed."""
        found = self.classes.get(self.class_of(claim))
        return (
            not claim.spec.volume_name
            and found is not None
            and found.volume_binding_mode == "WaitForFirstConsumer"
        )

    # --- one pod, one node ----------------------------------------------------------------------

    def unusable(self, pod: Pod) -> str | None:
        """Why the pod's claims keep it off every node; None if they do not."""
        for key, claim, _ in self.uses(pod):
            if claim is None:
                return f"its claim {key[1]} is missing"
            if claim.status.phase == "Lost" or claim.metadata.deletion_timestamp is not None:
                return f"its claim {key[1]} is lost or being deleted"
            if not claim.is_bound and not self.is_waiting(claim):
                return f"its claim {key[1]} is not bound, and does not wait for a pod"
            if claim.spec.volume_name and claim.spec.volume_name not in self.volumes:
                return f"its claim {key[1]} is bound to a volume that is missing"
        return None

    def out_of_reach(self, pod: Pod, node: Node) -> tuple[str, str] | None:
        """The rule and the sentence if a bound volume cannot be reached from the node."""
        for _, claim, _ in self.uses(pod):
            volume = self.volumes.get(claim.spec.volume_name) if claim is not None else None
            if volume is not None and not _is_reached(volume, node):
                return "VolumeBinding", f"volume {volume.metadata.name} is out of reach there"
            if volume is not None and not _is_in_zone(volume, node):
                return "VolumeZone", f"volume {volume.metadata.name} is in another zone"
        return None

    def is_served(self, pod: Pod, node: int) -> bool:
        """Whether each claim that waits could have a volume if the pod were alone on the node."""
        demands = (
            Demand(use.claim, -1, (node,))
            for use in self.uses(pod)
            if use.claim is not None and self.is_waiting(use.claim)
        )
        return all(self._is_made(demand) or self._candidates(demand) for demand in demands)

    def depends_on_order(self, workload: Workload) -> bool:
        """Whether what volumes its claims get depends on which pod comes first, and goes where.

        It does not where a volume is made for each pod alone, and no free one could be taken.
        """
        for use in self.uses(workload.pod):
            if use.claim is None or not self.is_waiting(use.claim):
                continue
            users = sum(
                other.count
                for other in self.problem.workloads
                if any(u.key == use.key for u in self.uses(other.pod))
            )
            shared = not use.own and users > 1
            counted = use.own and any(
                driver == made
                for node in self.nodes
                for driver in self.limits(node)
                for made, _ in self.attached(workload.pod, 0, 1)
            )
            if shared or counted or self._candidates(Demand(use.claim, -1, ())):
                return True
        return False

    def limits(self, node: Node) -> dict[str, int]:
        """How many volumes of a driver the node takes at most; drivers without a limit are out."""
        return {
            driver.name: driver.allocatable.count
            for driver in self.csi.get(node.metadata.name, ())
            if driver.allocatable is not None and driver.allocatable.count is not None
        }

    def one_pod_claims(self, pod: Pod) -> set[tuple[str, str]]:
        """The pod's claims that only one pod at a time may use."""
        return {
            use.key
            for use in self.uses(pod)
            if not use.own
            and use.claim is not None
            and "ReadWriteOncePod" in (use.claim.spec.access_modes or ())
        }

    # --- all pods together ----------------------------------------------------------------------

    def objections(self, on: list[Count]) -> Iterator[Objection]:
        """Everything that is wrong with so many pods of each workload on each node."""
        concerned = [
            w
            for w, workload in enumerate(self.problem.workloads)
            if on[w] and self.uses(workload.pod)
        ]
        for w in concerned:
            pod = self.problem.workloads[w].pod
            hopeless = self.unusable(pod)
            for n in on[w]:
                found = self.out_of_reach(pod, self.nodes[n])
                if hopeless is not None:
                    yield w, n, "VolumeBinding", hopeless
                elif found is not None:
                    yield w, n, *found
        yield from self._shared(on, concerned)
        yield from self._limits(on, concerned)
        yield from self._unmet(on, concerned)

    def _shared(self, on: list[Count], concerned: list[int]) -> Iterator[Objection]:
        users: dict[tuple[str, str], int] = {}
        for pod in self.problem.cluster.pods:
            for key in {use.key for use in self.uses(pod)}:
                users[key] = users.get(key, 0) + 1
        pods = [(w, self.problem.workloads[w].pod) for w in concerned]
        for w, pod in pods:
            for key in {use.key for use in self.uses(pod)}:
                users[key] = users.get(key, 0) + sum(on[w].values())
        for w, pod in pods:
            for key in sorted(self.one_pod_claims(pod)):
                for n in on[w] if users[key] > 1 else ():
                    yield w, n, "VolumeRestrictions", f"claim {key[1]} is for one pod only"

    def _limits(self, on: list[Count], concerned: list[int]) -> Iterator[Objection]:
        before: dict[int, set[Handle]] = {}
        for n, pod in residents(self.problem.cluster) if concerned and self.csi else ():
            before.setdefault(n, set()).update(self.attached(pod, -1, 1))
        after = {n: set(there) for n, there in before.items()}
        kinds = [(w, self.problem.workloads[w].pod) for w in concerned]
        for w, pod in kinds:
            for n, number in on[w].items():
                after.setdefault(n, set()).update(self.attached(pod, w, number))
        for w, pod in kinds:
            for n, number in on[w].items():
                fresh = self.attached(pod, w, number) - before.get(n, set())
                for driver, most in self.limits(self.nodes[n]).items():
                    count = of_driver(driver, after[n])
                    if of_driver(driver, fresh) and count > most:
                        sentence = f"{count} volumes of {driver}, {most} there at most"
                        yield w, n, "NodeVolumeLimits", sentence

    def attached(self, pod: Pod, kind: int, number: int) -> set[Handle]:
        """The volumes of drivers that so many pods of a kind need on a node."""
        found: set[Handle] = set()
        for use in self.uses(pod):
            if use.claim is None:
                continue
            volume = self.volumes.get(use.claim.spec.volume_name)
            made = self.classes.get(self.class_of(use.claim))
            if volume is not None and volume.spec.csi is not None:
                found.add((volume.spec.csi.driver, volume.spec.csi.volume_handle))
            elif not use.claim.spec.volume_name and made is not None:
                names = [(use.key, kind, i) for i in range(number)] if use.own else [use.key]
                found.update((made.provisioner, name) for name in names)
        return found

    # --- claims that wait -----------------------------------------------------------------------

    def _unmet(self, on: list[Count], concerned: list[int]) -> Iterator[Objection]:
        bound: dict[str, Demand] = {}
        for demand in self._demands(on, concerned):
            if not self._is_made(demand) and not self._find(demand, bound, set()):
                sentence = f"no volume can be found or made for claim {demand.claim.metadata.name}"
                for n in demand.nodes:
                    yield demand.workload, n, "VolumeBinding", sentence

    def _demands(self, on: list[Count], concerned: list[int]) -> Iterator[Demand]:
        shared: dict[tuple[str, str], Demand] = {}
        for w in concerned:
            for use in self.uses(self.problem.workloads[w].pod):
                if use.claim is None or not self.is_waiting(use.claim):
                    continue
                if use.own:
                    for n, number in on[w].items():
                        yield from [Demand(use.claim, w, (n,))] * number
                    continue
                before = shared.get(use.key, Demand(use.claim, w, ()))
                nodes = tuple(sorted({*before.nodes, *on[w]}))
                shared[use.key] = before._replace(nodes=nodes)
        yield from shared.values()

    def _find(self, demand: Demand, bound: dict[str, Demand], tried: set[str]) -> bool:
        """Bind the demand to a volume, moving others if need be (augmenting paths)."""
        for volume in self._candidates(demand):
            name = volume.metadata.name
            if name not in tried:
                tried.add(name)
                if name not in bound or self._find(bound[name], bound, tried):
                    bound[name] = demand
                    return True
        return False

    def _candidates(self, demand: Demand) -> list[PersistentVolume]:
        """The volumes that are what the claim asks for, where it is needed."""
        if SELECTED_NODE in demand.claim.metadata.annotation_map():
            return []
        large = [
            volume
            for volume in self.storage.volumes
            if volume.spec.volume_mode == demand.claim.spec.volume_mode
            and _bytes(volume.spec.capacity) >= _asked(demand.claim)
        ]
        kept = [volume for volume in large if _is_kept_for(volume, demand.claim)]
        fitting = kept[:1] or [v for v in large if self._suits(v, demand.claim)]
        return [v for v in fitting if all(_is_reached(v, self.nodes[n]) for n in demand.nodes)]

    def _suits(self, volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
        selector, offered = claim.spec.selector, volume.spec.access_modes or ()
        return (
            volume.spec.claim_ref is None
            and volume.metadata.deletion_timestamp is None
            and volume.status.phase in ("", "Available")
            and (selector is None or selector.matches(volume.metadata.label_map()))
            and volume.storage_class == self.class_of(claim)
            and set(claim.spec.access_modes or ()) <= set(offered)
        )

    def _is_made(self, demand: Demand) -> bool:
        """Whether a volume can be made that is reached from all nodes that need it."""
        claim = demand.claim
        found = self.classes[self.class_of(claim)]
        nodes = [self.nodes[n] for n in demand.nodes]
        selected = claim.metadata.annotation_map().get(SELECTED_NODE)
        if selected is not None and any(node.metadata.name != selected for node in nodes):
            return False
        made = all(self._is_made_at(claim, found, node) for node in nodes)
        return made and len({self._place(found, node) for node in nodes}) <= 1

    def _place(self, found: StorageClass, node: Node) -> tuple[str | None, ...]:
        """Where the class's driver sees the node, by the labels that it tells nodes apart by."""
        labels = node.metadata.label_map()
        for driver in self.csi.get(node.metadata.name, ()):
            if driver.name == found.provisioner:
                return tuple(labels.get(key) for key in sorted(driver.topology_keys or ()))
        return ()

    def _is_made_at(self, claim: PersistentVolumeClaim, found: StorageClass, node: Node) -> bool:
        if found.provisioner in ("", "kubernetes.io/no-provisioner"):
            return False
        labels = node.metadata.label_map()
        terms = [term.match_label_expressions or () for term in found.allowed_topologies or ()]
        if terms and not any(
            term and all(labels.get(r.key) in r.values for r in term) for term in terms
        ):
            return False
        tells = any(
            driver.metadata.name == found.provisioner and driver.spec.storage_capacity
            for driver in self.storage.drivers
        )
        requests = (claim.spec.resources.requests if claim.spec.resources else None) or {}
        if not tells or "storage" not in requests:
            return True
        return any(
            capacity.storage_class_name == found.metadata.name
            and (limit := capacity.maximum_volume_size or capacity.capacity) is not None
            and limit.value() >= _asked(claim)
            and capacity.node_topology is not None
            and capacity.node_topology.matches(labels)
            for capacity in self.storage.capacities
        )


def of_driver(driver: str, handles: Iterable[Handle]) -> int:
    """How many of the volumes are the driver's."""
    return sum(name == driver for name, _ in handles)


def _asked(claim: PersistentVolumeClaim) -> int:
    return _bytes(claim.spec.resources.requests if claim.spec.resources else None)


def _bytes(amounts: Mapping[str, Quantity] | None) -> int:
    return amounts["storage"].value() if amounts and "storage" in amounts else 0


def _is_kept_for(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    kept = volume.spec.claim_ref
    return (
        kept is not None
        and kept.name == claim.metadata.name
        and kept.namespace == claim.metadata.namespace
        and kept.uid in ("", claim.metadata.uid)
    )


def _is_reached(volume: PersistentVolume, node: Node) -> bool:
    """Whether the node's labels, nothing else of it, fit the volume's node affinity."""
    required = volume.spec.node_affinity.required if volume.spec.node_affinity else None
    asking = Pod(spec=PodSpec(affinity=Affinity(node_affinity=NodeAffinity(required=required))))
    return selects_node(asking, Node(metadata=ObjectMeta(labels=node.metadata.labels)))


def _is_in_zone(volume: PersistentVolume, node: Node) -> bool:
    labels = node.metadata.label_map()
    if not any(key in labels for key in (*_ZONES, *_TODAY)):
        return True
    for key, value in volume.metadata.label_map().items():
        if key in _ZONES or key in _TODAY:
            found = labels.get(key) or labels.get(_ZONES.get(key, key))
            if found not in value.split("__"):
                return False
    return True
