"""What is wrong with a scenario although each of its objects is fine by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from kubelemma.model.cluster.claims import relabelled
from kubelemma.model.cluster.stocking import named_claims, storage_of
from kubelemma.model.cluster.zones import zone_of
from kubelemma.model.components.kubelet.decision import may_fail_after_start, must_end
from kubelemma.model.components.kubelet.decision.resizing import refusal
from kubelemma.model.components.persistentvolume.decision import (
    unknown_class,
    wanting,
    wanting_of,
)
from kubelemma.model.components.scheduler.decision.volumes import ClaimKey, Shelf
from kubelemma.model.findings import FieldPath, Finding, did_you_mean
from kubelemma.model.manifests.check import CheckSpec, OfWorkload, Relabel, Resize, event_names
from kubelemma.model.manifests.clouds import OfService
from kubelemma.model.manifests.groups import nodes_of
from kubelemma.model.manifests.networks import ReuseAddress, ZoneSplit
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import PodSpec

from .claims import ordinals_asked
from .events import concerns, labelling_of, takes
from .templates import is_named, key_of, kind_of


class Misplaced(NamedTuple):
    """A finding about an owner of pods, whose position its manifest knows."""

    owner: Any
    finding: Finding


def check_findings(
    spec: CheckSpec,
    nodes: tuple[Node, ...],
    owners: tuple[Any, ...] = (),
    *,
    caches: bool = False,
    services: Mapping[str, bool] | None = None,
) -> Iterator[Finding]:
    """What is wrong with the Check, given the Node objects and owners of pods of the manifests.

    ``caches`` says whether there are controllers that have some: reconcile functions; ``services``
    are the Services, as NAMESPACE/NAME, with whether each has a load balancer.
    """
    yield from _names(spec, nodes)
    yield from _events(spec, nodes)
    yield from _refused(spec, owners)
    yield from _containers(spec, owners)
    yield from _init_waits(spec, owners, services or {})
    yield from _balancers(spec, services or {})
    yield from _addresses(spec, services or {})
    yield from _parting(spec, nodes)
    if spec.faults.stale_reads and not caches:
        path: FieldPath = ("spec", "faults", "staleReads")
        message = (
            f"is {spec.faults.stale_reads}: controllers read the store here, only 0 can be, unless "
            "a controller of your own is loaded (--load)"
        )
        yield Finding(path, message)


def _names(spec: CheckSpec, nodes: tuple[Node, ...]) -> Iterator[Finding]:
    names = Counter(node.metadata.name for node in (*nodes, *nodes_of(spec.cluster)))
    for name, number in names.items():
        if number > 1:
            yield Finding(("spec", "cluster", "nodes"), f'{number} nodes are called "{name}"')


def _events(spec: CheckSpec, nodes: tuple[Node, ...]) -> Iterator[Finding]:
    """Events that name a node which is not there; without a cluster any name is wrong."""
    names = [node.metadata.name for node in (*nodes, *nodes_of(spec.cluster))]
    for index, entry in enumerate(spec.events or ()):
        for event, given in entry.given():
            wanted = getattr(given, "node", "")
            if wanted and wanted not in names:
                message = (
                    f'there is no Node "{wanted}"{did_you_mean(wanted, names) or _none(names)}'
                )
                yield Finding(("spec", "events", index, event, "node"), message)


def _none(names: Collection[str]) -> str:
    """What to do where no nodes are given: those that are made up have no names to go by."""
    return "" if names else " (describe the cluster, with --nodes for example)"


def _refused(spec: CheckSpec, owners: tuple[Any, ...]) -> Iterator[Finding]:
    """Events that cannot happen to whom they name."""
    for index, entry in enumerate(spec.events or ()):
        for event, given in entry.given():
            if not isinstance(given, OfWorkload):
                continue
            named = [o for o in owners if concerns(given, o) and (given.meant or takes(o, event))]
            if not named and not given.meant:
                yield Finding(("spec", "events", index, event), f"no workload takes a {event}")
            elif named and not any(takes(owner, event) for owner in named):
                kind = kind_of(named[0])
                options = ", ".join(name for name in event_names() if name in kind.events)
                message = f"a {kind.kind} takes no {event}: what can happen to one is {options}"
                yield Finding(("spec", "events", index, event, given.written), message)
            elif isinstance(given, Resize):
                at: FieldPath = ("spec", "events", index, event)
                refused = (refusal(kind_of(o).pod(o, 0), given.options) for o in named)
                yield from (
                    Finding((*at, field) if field else at, text) for field, text in refused if text
                )
            elif isinstance(given, Relabel):
                path: FieldPath = ("spec", "events", index, event, "label")
                yield from (
                    Finding(path, text) for o in named if (text := _still_matched(given, o))
                )


def _containers(spec: CheckSpec, owners: tuple[Any, ...]) -> Iterator[Finding]:
    """Versions that fail by what their template does not have."""
    for index, entry in enumerate(spec.events or ()):
        event = entry.rollout
        if event is None or event.new_version not in _FAILING:
            continue
        lacks, what = _FAILING[event.new_version]
        path: FieldPath = ("spec", "events", index, "rollout", "newVersion")
        for owner in (o for o in owners if concerns(event, o) and takes(o, "rollout")):
            if lacks(kind_of(owner).pod(owner, 0).spec):
                yield Finding(path, f"{key_of(owner)} has no {what} that could fail")


_FAILING: Mapping[str, tuple[Callable[[PodSpec], bool], str]] = {
    "initFails": (lambda spec: not must_end(spec), "init container, but for sidecars,"),
    "postStartFails": (lambda spec: may_fail_after_start(spec) is None, "postStart hook"),
    "gateNeverTrue": (lambda spec: not spec.readiness_gates, "readiness gate"),
}
"""By what newVersion says whether a pod lacks what it is about, and what that is."""


def _init_waits(
    spec: CheckSpec, owners: tuple[Any, ...], services: Collection[str]
) -> Iterator[Finding]:
    """Init containers that no pod has, and Services that are not there."""
    for index, waiting in enumerate(spec.init_waits):
        path: FieldPath = ("spec", "initWaits", index)
        named: dict[str, set[str]] = {}
        for owner in owners:
            for step in must_end(kind_of(owner).pod(owner, 0).spec):
                named.setdefault(step.name, set()).add(owner.metadata.namespace)
        if waiting.container not in named:
            hint = did_you_mean(waiting.container, sorted(named))
            message = f'no pod has an init container "{waiting.container}" that has to end{hint}'
            yield Finding((*path, "container"), message)
        for namespace in sorted(named.get(waiting.container, ())):
            key = waiting.service if "/" in waiting.service else f"{namespace}/{waiting.service}"
            if key not in services:
                hint = did_you_mean(key, sorted(services))
                yield Finding((*path, "service"), f'there is no Service "{key}"{hint}')


def _balancers(spec: CheckSpec, services: Mapping[str, bool]) -> Iterator[Finding]:
    """Events of load balancers whose Service is not there, or has none."""
    for index, entry in enumerate(spec.events or ()):
        for event, given in entry.given():
            if not isinstance(given, OfService) or not given.name:
                continue
            key = f"{given.namespace}/{given.name}"
            path: FieldPath = ("spec", "events", index, event, "name")
            if key not in services:
                hint = did_you_mean(key, sorted(services))
                yield Finding(path, f'there is no Service "{key}"{hint}')
            elif not services[key]:
                yield Finding(
                    path, f'Service "{key}" has no load balancer: its type is another one'
                )


def _addresses(spec: CheckSpec, services: Collection[str]) -> Iterator[Finding]:
    """Addresses that are given again, where nobody goes by any."""
    for index, entry in enumerate(spec.events or ()):
        for event in (event for event, given in entry.given() if isinstance(given, ReuseAddress)):
            message = "there is no Service, by whose pods anybody could go: nothing comes of it"
            if not services:
                yield Finding(("spec", "events", index, event), message)


def _parting(spec: CheckSpec, nodes: tuple[Node, ...]) -> Iterator[Finding]:
    """A network between zones, where there are none."""
    every = (*nodes, *nodes_of(spec.cluster))
    zones = {zone_of(node.metadata.label_map()) for node in every}
    for index, entry in enumerate(spec.events or ()):
        for event in (event for event, given in entry.given() if isinstance(given, ZoneSplit)):
            if len(zones) < _TWO:
                message = (
                    "needs nodes in two zones at least, by the label topology.kubernetes.io/zone: "
                    "describe the cluster, with --nodes count=4,zones=2 for example"
                )
                yield Finding(("spec", "events", index, event), message)


_TWO = 2


def _still_matched(event: Relabel, owner: Any) -> str:
    """Why nothing would come of it that a pod has another label; empty where something does."""
    change, kind, key = labelling_of(event, owner), kind_of(owner), key_of(owner)
    if change is None:
        return f"is required: {key} selects by no label that could be taken away"
    after = relabelled(kind.pod(owner, 0), change).metadata.label_map()
    if kind.selector(owner, 0).matches(after):
        return f'"{change}" leaves a pod matched by the selector of {key}: nothing comes of it'
    return ""


def ambiguous(name: str, owners: Iterable[Any]) -> tuple[str, ...]:
    """The owners that a name means, if these are of several kinds; else nothing."""
    named = [key_of(owner) for owner in owners if is_named(owner, (name,))]
    return tuple(map(str, named)) if len({key.kind for key in named}) > 1 else ()


def storage_findings(
    owners: Iterable[Any], objects: tuple[Any, ...], nodes: tuple[Node, ...]
) -> Iterator[Misplaced]:
    """Owners whose pods name claims that are not there, and claims that get no volume."""
    shelf = Shelf(storage_of(objects))
    used: dict[ClaimKey, None] = {}
    for owner in owners:
        spec = kind_of(owner).template(owner).spec
        for number, key in named_claims(owner.metadata.namespace, spec):
            used.setdefault(key)
            if key not in shelf.claims:
                path: FieldPath = ("spec", "template", "spec", "volumes", number)
                message = (
                    f"claim {'/'.join(key)} is not in the input: no pod of {key_of(owner)} finds a "
                    "node without it"
                )
                yield Misplaced(owner, Finding(path, message))
    kinds = {type(claim) for claim in shelf.claims.values()}
    given = {
        (found.metadata.namespace, found.metadata.name): found
        for found in objects
        if type(found) in kinds
    }
    for owner in owners:
        yield from _unmade(owner, shelf, nodes)
        yield from _unmade_with_pods(owner, shelf, nodes)
    for key in used:
        there = shelf.claims.get(key)
        named = "" if there is None else unknown_class(there, shelf)
        hint = did_you_mean(named, sorted(shelf.classes)) if named else ""
        if hint:
            field: FieldPath = ("spec", "storageClassName")
            message = f"is no class of the input{hint}; it is taken to make volumes"
            yield Misplaced(given[key], Finding(field, message))
        reason = "" if there is None else wanting(there, shelf, nodes)
        if reason:
            message = f"{reason}; its pods stay Pending"
            yield Misplaced(given[key], Finding(("spec",), message))


def _unmade_with_pods(owner: Any, shelf: Shelf, nodes: tuple[Node, ...]) -> Iterator[Misplaced]:
    """The claims that pods of an owner have for themselves (``ephemeral``) and get no volume."""
    for number, volume in enumerate(kind_of(owner).template(owner).spec.volumes or ()):
        own = volume.ephemeral
        template = None if own is None else own.volume_claim_template
        if template is None:
            continue
        reason = wanting_of(template.spec, shelf, nodes)
        if reason:
            path: FieldPath = ("spec", "template", "spec", "volumes", number, "ephemeral")
            message = f"the claim of each pod {reason}; pods stay Pending, which is not followed"
            yield Misplaced(owner, Finding(path, message))


def _unmade(owner: Any, shelf: Shelf, nodes: tuple[Node, ...]) -> Iterator[Misplaced]:
    """The first claims that are made for the pods of an owner and get no volume."""
    kind = kind_of(owner)
    for number in ordinals_asked(owner):
        found = False
        for claim in kind.claims(owner, number):
            key = (owner.metadata.namespace, claim.metadata.name)
            reason = "" if key in shelf.claims else wanting(claim, shelf, nodes)
            if reason:
                found = True
                message = (
                    f"claim {'/'.join(key)}, which is made for a pod, {reason}; it stays Pending"
                )
                yield Misplaced(owner, Finding(("spec",), message))
        if found:
            return


class Adoption(NamedTuple):
    """An owner of pods that another one, by its selector, would make its own."""

    owner: Any
    adopter: Any


def adoptions(owners: tuple[Any, ...]) -> Iterator[Adoption]:
    """Owners that would be adopted: nothing of that is modelled."""
    for adopter in owners:
        kind = kind_of(adopter)
        selector = kind.reaches(adopter)
        if selector is None:
            continue
        for owner in owners:
            same = owner.metadata.namespace == adopter.metadata.namespace
            labels = owner.metadata.label_map()
            made = kind.through is not None and kind_of(owner).kind == kind.through.kind
            if made and same and selector.matches(labels):
                yield Adoption(owner, adopter)


def owner_findings(
    owners: tuple[Any, ...], spec: CheckSpec, nodes: tuple[Node, ...]
) -> Iterator[Misplaced]:
    """Owners of pods that name a node which is not there."""
    names = [node.metadata.name for node in (*nodes, *nodes_of(spec.cluster))]
    path: FieldPath = ("spec", "template", "spec", "nodeName")
    for owner in owners:
        wanted = kind_of(owner).template(owner).spec.node_name
        if wanted and wanted not in names:
            hint = did_you_mean(wanted, names) or _none(names)
            yield Misplaced(owner, Finding(path, f'there is no Node "{wanted}"{hint}'))
