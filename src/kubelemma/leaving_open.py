"""What a search does not decide although it saw every state: where something is left open.

That is what is not modelled and may keep pods from starting, who is held still, and starts that
were not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .asked import Case
from .model.kinds.parts.metadata import DEFAULT_NAMESPACE
from .model.manifests import Manifest, Manifests, NotModelled
from .model.scenario import key_of, owner_manifests
from .properties.statement import Kind
from .solver.result import CheckResult, PropertyResult, Verdict

_SHARED = frozenset({"ReadWriteMany", "ReadOnlyMany"})
"""The access modes with which pods on several nodes may use a volume at once."""
_CLAIM = "persistentVolumeClaim"


_WHO_PLACES = frozenset({"scheduler", "kubectl-drain", "all"})
"""Of promises that need room for pods to be kept, one of these is among the components."""


def with_doubts(result: CheckResult, case: Case) -> CheckResult:
    """What a search of the case found, without what is left open."""
    return replace(result, properties=tuple(doubted(each, case) for each in result.properties))


def doubted(found: PropertyResult, case: Case) -> PropertyResult:
    """What is found, but that something comes to its end is not decided where others are held.

    Nor is it where something that is not modelled may keep pods from starting; nor is anything
    where it may begin in ways that were not looked at.
    """
    scenario = case.scenario
    if found.verdict is not Verdict.HOLDS:
        return found
    if scenario.unseen:
        return replace(found, verdict=Verdict.INCONCLUSIVE, vacuous=False, reason=scenario.unseen)
    reason = "; ".join(filter(None, (scenario.held, *in_the_way(case))))
    if not reason:
        return found
    statement = found.property.statement
    if statement.kind is not Kind.LIVENESS or _WHO_PLACES.isdisjoint(statement.components):
        return found
    return replace(found, verdict=Verdict.INCONCLUSIVE, vacuous=False, reason=reason)


def in_the_way(case: Case) -> Iterator[str]:
    """What may be in the way of the workloads of a case, each in a sentence.

    A field is that of its own workload; an object of a namespace is in the way of all there.
    """
    focus = frozenset(case.scenario.focus)
    namespaces = {name.partition(" ")[2].rpartition("/")[0] for name in focus}
    for part in case.manifests.not_modelled:
        if not part.opens:
            continue
        namespace, slash, _ = part.object.partition(" ")[2].rpartition("/")
        if part.object in focus if part.path else not slash or namespace in namespaces:
            yield f"{part.object}{f', {part.path}' if part.path else ''}: {part.reason}"


def settled(manifests: Manifests) -> tuple[NotModelled, ...]:
    """What is not modelled; claims that several nodes may use at once are in nobody's way.

    Nor is a claim where one pod is gone before the next is there: that is Recreate.
    """
    owners = {str(key_of(m.object)): m for m in owner_manifests(manifests)}
    claims = dict(_claims(manifests))
    return tuple(
        part._replace(opens=False)
        if part.opens and _is_free(part, owners.get(part.object), claims)
        else part
        for part in manifests.not_modelled
    )


def _is_free(
    part: NotModelled,
    owner: Manifest[Any] | None,
    claims: dict[tuple[str, str], frozenset[str]],
) -> bool:
    """Whether a claim of a workload keeps no pod of it from starting."""
    if owner is None or not part.path.endswith(_CLAIM):
        return False
    spec = owner.object.spec
    strategy = getattr(spec, "strategy", None)
    if strategy is not None and strategy.type == "Recreate" and (spec.replicas or 0) <= 1:
        return True
    value = owner.document.value(_path(part.path))
    name = value.get("claimName", "") if isinstance(value, dict) else ""
    modes = claims.get((owner.object.metadata.namespace, name), frozenset())
    return bool(modes) and modes <= _SHARED


def _claims(manifests: Manifests) -> Iterator[tuple[tuple[str, str], frozenset[str]]]:
    """The access modes of claims, by namespace and name; the objects are of a kind left out."""
    for document in manifests.others:
        if document.data.get("kind") != "PersistentVolumeClaim":
            continue
        metadata, spec = document.data.get("metadata") or {}, document.data.get("spec") or {}
        modes = spec.get("accessModes") if isinstance(spec, dict) else None
        key = (metadata.get("namespace") or DEFAULT_NAMESPACE, metadata.get("name") or "")
        yield key, frozenset(mode for mode in modes or () if isinstance(mode, str))


def _path(text: str) -> tuple[str | int, ...]:
    """A path as `show` writes it, in parts."""
    found: list[str | int] = []
    for part in text.replace("]", "").split("."):
        name, *indices = part.split("[")
        found += [name, *map(int, indices)]
    return tuple(found)
