"""What is written of pods by going through them as they were: EndpointSlices and Endpoints.

Their controllers have caches that lag, and what they write is a pure function of these. So a write
is judged by whether it says what was true at some moment before it, which is none before that of
the last write of the same object: a view is late, never a mixture, and never turns back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kubelemma.model.components.endpoint.decision import Listed, listed
from kubelemma.model.components.endpointslice.decision import (
    conditions,
    endpoint_ports,
    is_endpoint,
    selects,
)
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.service import Service

from .cluster import Cluster
from .format import Snapshot, Write

Raw = Mapping[str, Any]
Shown = Mapping[str, str]
"""What is said of each pod, by its name; a pod of which nothing is said is not there."""

MOST = 400
"""How many moments of a Service are kept; a view that is older is not found again."""


class Fact(NamedTuple):
    """A pod, as far as anybody looks at it who writes of its Service."""

    name: str
    phase: str
    has_address: bool
    ready: bool
    terminating: bool


class View(NamedTuple):
    """A kind of object that is written of the pods of a Service.

    Attributes:
        kind, actor: what is written, by whom.
        says: what is to be said of a pod; empty for nothing.
        shown: what an object says.
    """

    kind: str
    actor: str
    says: Callable[[Fact, Service], str]
    shown: Callable[[Raw], Shown]


# What is said


def _in_slices(fact: Fact, service: Service) -> str:
    if not is_endpoint(fact.phase, has_address=fact.has_address):
        return ""
    found = conditions(
        ready=fact.ready,
        terminating=fact.terminating,
        publish_not_ready=service.spec.publish_not_ready_addresses,
    )
    return _told(found._asdict())


def _told(found: Mapping[str, bool]) -> str:
    return ", ".join(name for name, holds in found.items() if holds) or "not ready"


def _in_endpoints(fact: Fact, service: Service) -> str:
    found = listed(
        fact.phase,
        has_address=fact.has_address,
        ready=fact.ready,
        terminating=fact.terminating,
        publish_not_ready=service.spec.publish_not_ready_addresses,
    )
    return found or ""


def _of_slice(raw: Raw) -> Shown:
    names = ("ready", "serving", "terminating")
    return {
        _target(found): _told({name: found["conditions"].get(name, False) for name in names})
        for found in raw.get("endpoints") or ()
    }


def _of_endpoints(raw: Raw) -> Shown:
    return {
        _target(address): where.value
        for subset in raw.get("subsets") or ()
        for where in Listed
        for address in subset.get(where.value) or ()
    }


def _target(found: Raw) -> str:
    name: str = found.get("targetRef", {}).get("name", "")
    return name or str(found)


VIEWS = (
    View("EndpointSlice", "sa:endpointslice-controller", _in_slices, _of_slice),
    View("Endpoints", "sa:endpoint-controller", _in_endpoints, _of_endpoints),
)
"""All that is judged so."""

READ = frozenset({"Pod", "Service"})
"""The kinds that their controllers read."""


class Verdict(NamedTuple):
    """What is said of a write of a view.

    Attributes:
        accepted: whether it says what was true at a moment that the view had not passed.
        changes: what it says otherwise than the object before.
        nearest: the same of the moment that the view had not passed and that is most like it.
        read_at: where it turned back: the revision of the moment of which it tells.
    """

    accepted: bool
    changes: tuple[str, ...] = ()
    nearest: tuple[str, ...] = ()
    read_at: int | None = None


class Moment(NamedTuple):
    """What is true of the pods of a Service since a revision."""

    revision: int
    shown: Shown


@dataclass(slots=True)
class Story:
    """What was true of the pods of a Service, moment by moment, and what a view has read of it.

    ``read`` is the first moment that the last write of the view may tell of.
    """

    moments: list[Moment] = field(default_factory=list)
    read: int = 0

    def add(self, moment: Moment) -> None:
        """Add a moment, if anything is other than in the one before."""
        if not self.moments or self.moments[-1].shown != moment.shown:
            self.moments.append(moment)
            dropped = max(len(self.moments) - MOST, 0)
            del self.moments[:dropped]
            self.read = max(self.read - dropped, 0)

    def take(self, shown: Shown, before: Shown) -> Verdict:
        """Judge a write; of one that is refused the view goes on from where it was."""
        after = (n for n in range(self.read, len(self.moments)) if self.moments[n].shown == shown)
        found = next(after, None)
        if found is not None:
            self.read = found
            return Verdict(accepted=True)
        earlier = (m.revision for m in reversed(self.moments[: self.read]) if m.shown == shown)
        possible = [m.shown for m in self.moments[self.read :]]
        nearest = min(possible, key=lambda found: len(_changes(found, shown)))
        return Verdict(
            accepted=False,
            changes=_changes(before, shown),
            nearest=_changes(before, nearest),
            read_at=next(earlier, None),
        )


def _changes(before: Shown, after: Shown) -> tuple[str, ...]:
    return tuple(
        f"Pod {name}: {before.get(name, 'absent')} -> {after.get(name, 'absent')}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    )


class Views:
    """What is true of the pods of all Services of a run, and what is written of them."""

    def __init__(self) -> None:
        self._facts: dict[str, Fact] = {}
        self._stories: dict[tuple[str, str], Story] = {}
        self._written: dict[tuple[str, str], tuple[str, Shown]] = {}

    def take(self, line: Write | Snapshot, cluster: Cluster) -> Verdict | None:
        """Go on by one line, after which the objects are these; what is said of it if it is judged.

        Not judged are deletions, which are the garbage collector's and the API server's, objects
        that are one of several of a Service, and what others write.
        """
        gone = isinstance(line, Write) and line.type == "DELETED"
        for view in VIEWS:
            if view.kind == line.kind:
                return self._write(view, line, cluster, gone=gone)
        if line.kind == "Pod":
            self._facts.pop(line.uid, None)
            if not gone:
                self._facts[line.uid] = fact(line.name, line.object)
        if line.kind in READ:
            self._note(line, cluster)
        return None

    def _note(self, line: Write | Snapshot, cluster: Cluster) -> None:
        """Add what is true of the Services of a namespace once one of its objects is written."""
        for uid, service in _services(cluster, line.namespace or ""):
            for view in VIEWS:
                story = self._stories.setdefault((view.kind, uid), Story([Moment(0, {})]))
                story.add(Moment(line.rv, dict(self._due(view, service, cluster))))

    def _due(self, view: View, service: Service, cluster: Cluster) -> Iterator[tuple[str, str]]:
        for found, pod in cluster.pods():
            if selects(service, pod) and _offers(service, pod):
                said = view.says(self._facts[found.uid], service)
                if said:
                    yield found.name, said

    def _write(
        self, view: View, line: Write | Snapshot, cluster: Cluster, *, gone: bool
    ) -> Verdict | None:
        owner = _service_of(line, cluster)
        key, shown = (view.kind, line.uid), view.shown(line.object)
        _, before = self._written.pop(key, ("", {}))
        if gone:
            return None
        self._written[key] = owner, shown
        own = [
            1 for (kind, _), (of, _) in self._written.items() if (kind, of) == (view.kind, owner)
        ]
        story = self._stories.get((view.kind, owner))
        theirs = isinstance(line, Write) and line.actor == view.actor
        return story.take(shown, before) if story and theirs and len(own) == 1 else None


def _services(cluster: Cluster, namespace: str) -> Iterator[tuple[str, Service]]:
    for uid, found in cluster.of("Service").items():
        if isinstance(found.value, Service) and found.namespace == namespace:
            yield uid, found.value


def _service_of(line: Write | Snapshot, cluster: Cluster) -> str:
    """The uid of the Service of a slice, which owns it, or of Endpoints, by their name."""
    for owner in line.object.get("metadata", {}).get("ownerReferences") or ():
        if owner.get("kind") == "Service":
            return str(owner["uid"])
    there = _services(cluster, line.namespace or "")
    return next((uid for uid, own in there if own.metadata.name == line.name), "")


def fact(name: str, raw: Raw) -> Fact:
    """What somebody who writes of its Service reads of a pod."""
    status = raw.get("status", {})
    found = status.get("conditions") or ()
    return Fact(
        name,
        status.get("phase", ""),
        bool(status.get("podIP")),
        any(c["type"] == "Ready" and c["status"] == "True" for c in found),
        "deletionTimestamp" in raw["metadata"],
    )


def _offers(service: Service, pod: Pod) -> bool:
    """Whether a pod has any port of a Service, or need not have any."""
    return not service.spec.ports or any(True for _ in endpoint_ports(service, pod.spec))
