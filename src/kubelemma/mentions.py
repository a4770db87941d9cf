"""What a Check names of its input, and what of the input nothing is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .model.cluster.stocking import stock_of
from .model.components.kubelet.decision import Absent, Source, needs
from .model.components.kubelet.starting import given_of
from .model.components.registry import OWNERS
from .model.components.servicelb.decision import checks_nodes
from .model.manifests import (
    CheckSpec,
    FieldPath,
    Manifests,
    NotModelled,
    OfWorkload,
    Problem,
    did_you_mean,
    show,
)
from .model.manifests.losses import DeleteClaim, DeleteVolume
from .model.objects.service import Service
from .model.scenario import Scenario, adoptions, key_of, owner_manifests
from .model.scenario.admitting import of_admission
from .properties.select import ALL


class Named(NamedTuple):
    """A name, the field of the Check that it stands in, and that of the question."""

    path: FieldPath
    flag: str
    name: str


class NamedWorkload(NamedTuple):
    """The same of a workload; ``meant`` is what the name means there."""

    path: FieldPath
    flag: str
    name: str
    meant: str


def named_workloads(spec: CheckSpec) -> Iterator[NamedWorkload]:
    """The workloads that a Check names."""
    for flag, names in (("workloads", spec.workloads), ("together", spec.together)):
        for index, name in enumerate(names):
            yield NamedWorkload(("spec", flag, index), flag, name, name)
    for index, entry in enumerate(spec.events or ()):
        for event, given in entry.given():
            if isinstance(given, OfWorkload) and given.meant:
                path: FieldPath = ("spec", "events", index, event, given.written)
                name = given.deployment or given.workload
                yield NamedWorkload(path, "events", name, given.meant)


def named_properties(spec: CheckSpec) -> Iterator[Named]:
    """The properties that a Check names."""
    for index, name in enumerate(spec.properties):
        if name != ALL:
            yield Named(("spec", "properties", index), "properties", name)
    for name in spec.expect:
        yield Named(("spec", "expect", name), "expect", name)


def named_for_nothing(
    spec: CheckSpec, scenarios: Iterable[Scenario]
) -> Iterator[tuple[FieldPath, str]]:
    """Claims and volumes that are to be deleted, and that no pod has to do with; and why not."""
    stocks = [stock_of(scenario.world) for scenario in scenarios]
    known = {
        DeleteClaim: {claim.label for stock in stocks for claim in stock.claims},
        DeleteVolume: {volume.name for stock in stocks for volume in stock.volumes},
    }
    for index, entry in enumerate(spec.events or ()):
        for event, given in entry.given():
            names = known.get(type(given))
            if names is None or not isinstance(given, DeleteClaim | DeleteVolume):
                continue
            name = str(given.options) if given.options else ""
            if name and name not in names:
                what = "claim" if isinstance(given, DeleteClaim) else "volume"
                hint = did_you_mean(name, sorted(names))
                path: FieldPath = ("spec", "events", index, event, "name")
                yield path, f'no pod that is checked uses a {what} "{name}"{hint}'


OPTIONS = {"workloads": "workload", "events": "event", "properties": "property"}
"""The options of the command line, where they are not called as the field."""


def lacking_of(manifests: Manifests, missing: Iterable[Absent]) -> Iterator[Problem]:
    """ConfigMaps and Secrets that templates refer to and that were not given, or lack a key.

    One that is said to be missing is known to be.
    """
    given = given_of((*(manifest.object for manifest in manifests.objects), *missing))
    for manifest in owner_manifests(manifests):
        owner, kind = manifest.object, OWNERS[type(manifest.object)]
        name, taken = str(key_of(owner)), dict[Source, None]()
        for need in needs(kind.pod(owner, 0)):
            path: FieldPath = ("spec", "template", "spec", *need.path)
            at, absent = manifest.document.at(path), given.is_absent(need.source)
            if need.source not in given.keys and not absent and not need.pulling:
                taken.setdefault(need.source)
            elif need.source not in given.absent and (
                text := given.lacking(need, exists=not absent)
            ):
                message = f"{text}: containers of {name} are not started ({need.reason})"
                yield Problem(at, show(path), message)
        if taken:
            which = "which is" if len(taken) == 1 else "which are"
            yield Problem(
                manifest.document.at(),
                "",
                f"{name} refers to {', '.join(map(str, taken))}, {which} not among what was given: "
                "taken to exist, as its containers would not start otherwise (a scenario says in "
                "missing what is not there)",
            )


def with_balancers(manifests: Manifests) -> Manifests:
    """The manifests without what is only left out of load balancers where no cloud is stated."""
    followed = {m.document.at(_POLICY) for m in manifests.objects if _is_followed(m.object)}
    left = tuple(
        part
        for part in manifests.not_modelled
        if part.path != show(_POLICY) or part.position not in followed
    )
    return manifests._replace(not_modelled=left)


def _is_followed(thing: object) -> bool:
    return isinstance(thing, Service) and checks_nodes(thing)


_POLICY: FieldPath = ("spec", "externalTrafficPolicy")


def with_adopted(manifests: Manifests) -> Manifests:
    """The manifests with what is left out of them beside fields and kinds.

    Those are that others would adopt as a whole.
    """
    found = owner_manifests(manifests)
    places = {id(manifest.object): manifest.document.at() for manifest in found}
    listed = tuple(
        NotModelled(
            places[id(owner)],
            str(key_of(owner)),
            "",
            "not modelled",
            f"its labels match the selector of {key_of(adopter)}, which would adopt it: it is "
            "checked as if it were left alone",
        )
        for owner, adopter in adoptions(tuple(manifest.object for manifest in found))
    )
    others = of_admission(manifests, found)
    return manifests._replace(not_modelled=(*manifests.not_modelled, *listed, *others))
