"""What a search does not decide although it saw every state: where something is left open.

That is what is not modelled and may keep pods from starting, who is held still, and starts that
were not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

from .asked import Case
from .model.cluster.setting import Start
from .model.components.deployment.actions import PAUSE, RESUME, ROLLOUT
from .model.components.kubelet.actions import CONTAINER_CRASH
from .model.components.scheduler.decision.node_ports import host_ports
from .model.components.scheduler.decision.node_resources import fit_request
from .model.components.users.actions import APPLY
from .model.kinds.parts.metadata import DEFAULT_NAMESPACE
from .model.manifests import Manifest, Manifests, NotModelled
from .model.scenario import key_of, owner_manifests
from .model.scenario.templates import pod_of
from .properties.statement import Kind
from .solver.result import CheckResult, PropertyResult, Verdict

_SHARED = frozenset({"ReadWriteMany", "ReadOnlyMany"})
"""The access modes with which pods on several nodes may use a volume at once."""
_CLAIM = "persistentVolumeClaim"
_STAYING: frozenset[str] = frozenset({ROLLOUT, PAUSE, RESUME, CONTAINER_CRASH, APPLY})
"""What may happen without a pod having to go to another node, or two being there at once."""


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
        if part.path.endswith(_CLAIM) and _one_after_another(case, part.object):
            continue
        if part.object in focus if part.path else not slash or namespace in namespaces:
            yield f"{part.object}{f', {part.path}' if part.path else ''}: {part.reason}"


def _one_after_another(case: Case, name: str) -> bool:
    """Whether no two pods of a workload want its volume at once, and it is where the next one goes.

    With Recreate a pod is gone before the next is there, which finds room in its place. That is so
    only if nothing happens but a rollout, and nobody else moves: a volume stays attached to a node
    that is lost, and the pod that replaces one on a drained node comes while that one ends.
    """
    owners = {str(key_of(m.object)): m.object for m in owner_manifests(case.manifests)}
    owner = owners.get(name)
    strategy = getattr(owner and owner.spec, "strategy", None)
    recreates = strategy is not None and strategy.type == "Recreate"
    if owner is None or not recreates or (owner.spec.replicas or 0) > 1:
        return False
    actions = {event.action for event in case.scenario.events}
    if case.scenario.focus != (name,) or case.extension.controllers or not actions <= _STAYING:
        return False
    applied = () if case.applying is None else case.applying.changes
    before = () if case.applying is None else owner_manifests(case.applying.before)
    alike = {str(key_of(m.object)): _asks(m.object) for m in before}
    if applied and not (len(applied) == 1 and alike.get(name) == _asks(owner)):
        return False
    return all(node.up and node.ready for start in _starts(case) for node in start.nodes)


def _starts(case: Case) -> tuple[Start, ...]:
    return cast("tuple[Start, ...]", case.scenario.recipe[1])


def _asks(owner: Any) -> Any:
    """All that decides where the one pod of a workload may go."""
    pod = pod_of(owner, 0)
    spec = pod.spec
    return (
        owner.spec.replicas,
        pod.metadata.labels,
        fit_request(pod),
        tuple(host_ports(pod)),
        tuple(volume.persistent_volume_claim for volume in spec.volumes or ()),
        spec.node_name,
        spec.node_selector,
        spec.affinity,
        spec.tolerations,
        spec.topology_spread_constraints,
    )


def settled(manifests: Manifests) -> tuple[NotModelled, ...]:
    """What is not modelled; claims that several nodes may use at once are in nobody's way.

    What can be used from several nodes is taken to be within reach of all of them.
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
