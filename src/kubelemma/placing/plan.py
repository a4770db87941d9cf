"""From manifests to a placement problem, with what was assumed on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import replace as replaced
from typing import Any, NamedTuple, TypeAlias

from kubelemma.model.components.apiserver.admission import Policies, admitted
from kubelemma.model.components.scheduler.decision.node_resources import fit_request
from kubelemma.model.components.scheduler.decision.resources import EPHEMERAL_STORAGE
from kubelemma.model.kinds.registry import stamp_of
from kubelemma.model.manifests import (
    PLACE,
    CheckManifest,
    Document,
    FieldPath,
    Intake,
    InvalidInput,
    Manifest,
    Manifests,
    NotModelled,
    Position,
    Source,
    Variant,
    choose,
    did_you_mean,
    intake,
    nodes_of,
    parse_nodes,
    show,
)
from kubelemma.model.manifests import Cluster as NodeGroups
from kubelemma.model.manifests import Problem as Complaint
from kubelemma.model.manifests.variants import COMMON
from kubelemma.model.objects.controllers import StatefulSet
from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.meta import ApiObject
from kubelemma.model.objects.node import Namespace, Node
from kubelemma.model.objects.pod import Pod, PodSpec
from kubelemma.model.scenario.admitting import given_otherwise, policies_of
from kubelemma.model.scenario.cluster import STORAGE, with_storage
from kubelemma.solver.placement.displaced import likeness
from kubelemma.solver.placement.problem import Cluster, Problem, Workload

from . import daemons
from .claims import Claims, claims, of_ordinal
from .inventory import Inventory, Key, Origin, Part, inventory, key_of, stamped
from .load import load
from .refused import Refused, objection, sifted

Stage: TypeAlias = Callable[[Pod], Pod]
"""What happens to a pod on its way to being stored."""

_NAMESPACE_LABEL = "kubernetes.io/metadata.name"


class Input(NamedTuple):
    """What was read, with the nodes of the command line among the others.

    Attributes:
        variant: what the alternative is called, if there are any.
        unread: parts of the input that could not be read, and are not there.
        storage: how much ephemeral storage nodes of the command line have without saying so.
    """

    manifests: Manifests
    nodes: tuple[Node, ...]
    variant: str = ""
    unread: tuple[Complaint, ...] = ()
    storage: str = ""

    def workloads(self) -> tuple[Key, ...]:
        """The workloads that can be named in a question."""
        return tuple(
            key_of(type(m.object).__name__, m.object.metadata)
            for m in self.manifests.objects
            if (stamp := stamp_of(m.object)) is not None and stamp.wanted is not None
        )


@dataclass(frozen=True, slots=True)
class DaemonPods:
    """A daemon: on how many nodes it wants a pod, and on how many it has none yet."""

    key: Key
    pod: Pod
    wanted: int
    missing: int


class Template(NamedTuple):
    """A workload, and a pod that it would create."""

    origin: Origin
    pod: Pod


@dataclass(frozen=True, slots=True)
class Plan:
    """A problem, and what people want to know about how it came about.

    Attributes:
        problem: what is to be placed where.
        origins: where each workload of the problem comes from, by its name.
        members: the workload of each pod of the input that is to be placed, by namespace and name.
        daemons: what wants a pod on each node; these pods are load, or workloads where they may not
            fit.
        templates: what a new pod of each workload of the input is like.
        added: the pods of daemons that were made for this, and where they come from.
        refused: pods that the API server does not store, so that nobody places them.
        setting: what was assumed, in sentences.
        not_modelled, warnings: of the input.
    """

    problem: Problem
    origins: Mapping[str, Origin]
    members: Mapping[tuple[str, str], str]
    daemons: tuple[DaemonPods, ...]
    templates: Mapping[Key, Template]
    added: tuple[tuple[Pod, Origin], ...]
    refused: tuple[Refused, ...]
    setting: tuple[str, ...]
    not_modelled: tuple[NotModelled, ...]
    warnings: tuple[Complaint, ...]


def read(
    paths: Iterable[str],
    stdin: str | bytes = "",
    nodes: Iterable[str] = (),
    namespace: str = "",
    *,
    kustomize: bool = True,
    strict: bool = False,
    variant: str = "",
) -> tuple[Input, ...]:
    """Read manifests, or what ``kubectl get -o yaml`` gave, for placement.

    Args:
        paths: files and directories; ``-`` is ``stdin``.
        stdin: what stands on standard input.
        nodes: more nodes, as ``parse_nodes`` reads them.
        namespace: of objects that name none.
        kustomize: whether directories with a kustomization file are built.
        strict: whether files in a directory that are no Kubernetes objects are an error.
        variant: the alternative that is meant, where folders define the same objects; else there is
            one input for each.

    Raises:
        InvalidInput: something is wrong, there is no node, or nothing that could be placed.
    """
    sources = [Source("<stdin>", stdin) if path == "-" else Source(path) for path in paths]
    found = intake(sources, kustomize=kustomize, purpose=PLACE, strict=strict)
    given = NodeGroups(nodes=tuple(map(parse_nodes, nodes)))
    whole = tuple(v for v in choose(found.variants, variant) if v.name != COMMON)
    return tuple(
        _checked(_input(chosen, given, namespace, found), sources[0].name) for chosen in whole
    )


def _input(chosen: Variant, groups: NodeGroups, namespace: str, found: Intake) -> Input:
    manifests = chosen.manifests._replace(warnings=found.warnings).in_namespace(namespace)
    settled = with_storage(groups) if _asks_for_storage(manifests) else groups
    given = nodes_of(settled)
    written = tuple(m.object for m in manifests.of(Node))
    known = {node.metadata.name for node in written}
    clash = next((n.metadata.name for n in given if n.metadata.name in known), None)
    if clash is not None:
        message = f'"{clash}" is the name of a node in the input: give another name=...'
        raise InvalidInput([Complaint(Position("--nodes"), "", message)])
    storage = "" if settled == groups else f"{STORAGE}"
    return Input(manifests, (*written, *given), chosen.name, found.problems, storage)


def _asks_for_storage(manifests: Manifests) -> bool:
    """Whether some pod requests ephemeral storage, which every kubelet lists."""
    settings = policies_of(manifests)
    pods = (_a_pod_of(m.object) for m in manifests.objects if _places(m.object))
    return any(EPHEMERAL_STORAGE in fit_request(admitted(pod, settings)) for pod in pods)


def _a_pod_of(thing: Any) -> Pod:
    if isinstance(thing, Pod):
        return thing
    return Pod(metadata=thing.metadata, spec=thing.spec.template.spec)


def _checked(found: Input, source: str) -> Input:
    position = Position(source)
    if not found.nodes:
        message = "no Node: add some with kubectl get nodes -o yaml, or with --nodes"
        raise InvalidInput([Complaint(position, "", message)])
    if not any(_places(manifest.object) for manifest in found.manifests.objects):
        message = "no pods and no workloads: nothing to place"
        raise InvalidInput([Complaint(position, "", message)])
    return found


def _places(thing: ApiObject) -> bool:
    """Whether it is a pod, or makes pods."""
    return isinstance(thing, Pod) or stamp_of(thing) is not None


def plan(found: Input, scale: Mapping[Key, int] | None = None, *, reschedule: bool = False) -> Plan:
    """The problem of placing what the input asks for.

    Args:
        found: what was read.
        scale: numbers of replicas that come before those written.
        reschedule: whether pods that a controller would create again may move.
    """
    names = frozenset(node.metadata.name for node in found.nodes)
    stock = inventory(found.manifests, names, scale, reschedule=reschedule)
    settings = policies_of(found.manifests)
    volumes = claims(found.manifests)

    def make(pod: Pod) -> Pod:
        return volumes.attached(admitted(pod, settings))

    def kept(pod: Pod) -> Pod:
        return make(pod) if pod.spec.priority is None else volumes.attached(pod)

    parts, refused = sifted(stock.parts, make, settings)
    workloads, origins, members = _workloads(parts, make, volumes.attached)
    staying = tuple(kept(m.object) for m in stock.staying)
    spaces = _namespaces(found.manifests, (*staying, *(w.pod for w in workloads)))
    home = _daemons(found, stock, _Making(make, settings), staying, spaces)
    pods = (*staying, *(pod for pod, _ in home.added))
    return Plan(
        Problem(
            Cluster(found.nodes, pods, spaces, volumes.storage, _budgets(found.manifests)),
            (*workloads, *home.workloads),
        ),
        {**origins, **home.origins},
        members,
        home.sets,
        {origin.key: Template(origin, make(pod)) for origin, pod in stock.templates},
        home.added,
        (*refused, *home.refused),
        tuple(_setting(found, stock, home, reschedule=reschedule)),
        (*found.manifests.not_modelled, *_left_out(found, names, settings, volumes)),
        found.manifests.warnings,
    )


def _budgets(manifests: Manifests) -> tuple[PodDisruptionBudget, ...]:
    return tuple(m.object for m in manifests.of(PodDisruptionBudget))


def _workloads(
    parts: Iterable[Part], make: Stage, attach: Stage
) -> tuple[tuple[Workload, ...], dict[str, Origin], dict[tuple[str, str], str]]:
    """The parts with their pods as stored; parts of one workload that are alike are one."""
    workloads: dict[str, Workload] = {}
    origins: dict[str, Origin] = {}
    members: dict[tuple[str, str], str] = {}
    names: dict[tuple[Key, bytes], str] = {}
    for part in parts:
        pod = make(part.pod) if part.fresh else attach(part.pod)
        own = part.label or str(part.origin.key)
        name = names.setdefault((part.origin.key, likeness(pod)), own)
        before = workloads.get(name, Workload(name, pod, 0))
        workloads[name] = replaced(before, count=before.count + part.count)
        origins.setdefault(name, part.origin)
        members |= {(pod.metadata.namespace, member): name for member in part.members}
    return tuple(workloads.values()), origins, members


def _namespaces(manifests: Manifests, pods: Iterable[Pod]) -> dict[str, Mapping[str, str]]:
    """Labels by namespace; of one that is not in the input only its name is known."""
    known = {m.object.metadata.name: m.object.metadata.label_map() for m in manifests.of(Namespace)}
    used = {pod.metadata.namespace for pod in pods} - known.keys()
    return {**known, **{name: {_NAMESPACE_LABEL: name} for name in sorted(used)}}


class _Daemons(NamedTuple):
    """What becomes of the daemons."""

    sets: tuple[DaemonPods, ...] = ()
    added: tuple[tuple[Pod, Origin], ...] = ()
    workloads: tuple[Workload, ...] = ()
    origins: Mapping[str, Origin] = {}
    refused: tuple[Refused, ...] = ()


class _Making(NamedTuple):
    """What becomes of a new pod, and what refuses it."""

    admit: Stage
    settings: Policies


def _daemons(
    found: Input,
    stock: Inventory,
    making: _Making,
    staying: tuple[Pod, ...],
    spaces: Mapping[str, Mapping[str, str]],
) -> _Daemons:
    sets: list[DaemonPods] = []
    pods: list[tuple[Pod, Node]] = []
    origins: dict[Key, Origin] = {}
    refused: list[Refused] = []
    for manifest, there in stock.daemons:
        key = key_of(type(manifest.object).__name__, manifest.object.metadata)
        pod = daemons.tolerant(making.admit(stamped(manifest.object.spec.template, key)))
        wanted = list(daemons.eligible(pod, found.nodes))
        missing = [node for node in wanted if node.metadata.name not in there]
        document, path = manifest.document, ("spec", "template")
        reason = objection(pod, making.settings)
        if reason and missing:
            refused.append(Refused(str(key), len(missing), reason, document.at(path)))
            missing = []
        sets.append(DaemonPods(key, pod, len(wanted), len(missing)))
        origins[key] = Origin(key, len(wanted), len(there), document, path, manifest.object)
        pods += [(pod, node) for node in missing]
    home = daemons.homed(pods, staying, spaces)
    named = {f"{_daemon_key(pod)} ({node})": pod for pod, node in home.doubtful}
    workloads = tuple(Workload(name, pod, 1) for name, pod in named.items())
    by_name = {name: origins[_daemon_key(pod)] for name, pod in named.items()}
    added = tuple((pod, origins[_daemon_key(pod)]) for pod in home.fitting)
    return _Daemons(tuple(sets), added, workloads, by_name, tuple(refused))


def _daemon_key(pod: Pod) -> Key:
    owner = (pod.metadata.owner_references or ())[0]
    return Key(owner.kind, pod.metadata.namespace, owner.name)


def _left_out(
    found: Input, nodes: frozenset[str], settings: Policies, volumes: Claims
) -> Iterator[NotModelled]:
    """What this reading leaves out, beside fields and kinds."""
    known = sorted(nodes)
    for manifest in found.manifests.of(Pod):
        pod = manifest.object
        node = pod.spec.node_name
        name = str(key_of("Pod", pod.metadata))
        if node and node not in nodes and pod.status.phase not in ("Succeeded", "Failed"):
            hint = did_you_mean(node, known) if len(known) < _FEW else ""
            reason = f"its node {node} is not in the input{hint}: the pod is left out"
            yield _noted(manifest.document, name, ("spec", "nodeName"), reason)
        if not node and pod.status.nominated_node_name:
            path: FieldPath = ("status", "nominatedNodeName")
            yield _noted(manifest.document, name, path, _promised(pod))
        fresh = not node and manifest.written.spec.priority is None
        yield from _of_spec(manifest, ("spec",), pod.spec, settings if fresh else None, volumes)
    for owner in found.manifests.objects:
        thing: Any = owner.object
        if stamp_of(thing) is not None:
            spec = thing.spec.template.spec
            yield from _of_spec(owner, ("spec", "template", "spec"), spec, settings, volumes)
            yield from given_otherwise(owner, settings)
        if isinstance(thing, StatefulSet):
            yield from _of_templates(owner.document, thing, volumes)
    for check in found.manifests.checks:
        yield _scenario(check)


def _promised(pod: Pod) -> str:
    """What a nomination means that is not looked at (``RunFilterPluginsWithNominatedPods``)."""
    return (
        f"{pod.status.nominated_node_name} is promised to it: the scheduler tries it there first, "
        "and keeps its room from pods that are no more important; here they all may go anywhere"
    )


def _of_spec(
    manifest: Manifest[Any],
    path: FieldPath,
    spec: PodSpec,
    settings: Policies | None,
    volumes: Claims,
) -> Iterator[NotModelled]:
    """Classes and claims that a pod names and that are not in the input."""
    metadata = manifest.object.metadata
    name = str(key_of(type(manifest.object).__name__, metadata))
    for index, reason in volumes.left_out(spec, metadata.namespace):
        yield _noted(manifest.document, name, (*path, "volumes", index), reason)
    for field, reason in settings.unknown(spec) if settings else ():
        yield _noted(manifest.document, name, (*path, field), reason)


def _of_templates(document: Document, owner: StatefulSet, volumes: Claims) -> Iterator[NotModelled]:
    """Claims that a StatefulSet would make, and of which nobody knows where they end up."""
    templates = owner.spec.volume_claim_templates or ()
    made = of_ordinal(PodSpec(), templates, {})
    for index, reason in volumes.left_out(made, owner.metadata.namespace):
        path: FieldPath = ("spec", "volumeClaimTemplates", index)
        yield _noted(document, str(key_of("StatefulSet", owner.metadata)), path, reason)


_FEW = 500
"""Among so many nodes a misspelt name is looked for."""


def _noted(document: Document, name: str, path: FieldPath, reason: str) -> NotModelled:
    return NotModelled(document.at(path), name, show(path), "not modelled", reason)


def _scenario(check: CheckManifest) -> NotModelled:
    reason = "a scenario is for kubelemma check: its cluster and events are not looked at"
    name = f"Check {check.check.metadata.name}"
    return NotModelled(check.document.at(), name, "", "not modelled", reason)


def _setting(found: Input, stock: Inventory, home: _Daemons, *, reschedule: bool) -> Iterator[str]:
    """What was assumed, in sentences."""
    if found.storage:
        yield f"nodes of --nodes have {found.storage} of ephemeral storage where nobody says"
    which = " that cannot move" if reschedule else ""
    if found.variant:
        yield f"alternative: {found.variant}"
    nodes = _count(len(found.nodes), "node")
    yield f"cluster: {nodes}; pods on them{which}: {len(stock.staying):,}"
    for one in home.sets:
        if one.missing:
            yield (
                f"{one.key}: one pod on each of {_count(one.wanted, 'node')}, "
                f"of which {one.missing:,} are taken to come first"
            )
    yield from load((m.object for m in stock.staying), stock.creators)
    yield from _by_workload("stay, though nobody asks for them", stock.surplus)
    yield from _by_workload("wait for their scheduling gates, and are not placed", stock.gated)
    if stock.ignored:
        pods = _count(stock.ignored, "pod")
        yield f"{pods} not counted: ended, or gone before the replacement comes"


def _by_workload(what: str, counts: Iterable[tuple[Key, int]]) -> Iterator[str]:
    """How many pods of which workloads, such as ``3 pods stay: 2 of Deployment a/b, ...``."""
    every = list(counts)
    if not every:
        return
    total = sum(count for _, count in every)
    named = ", ".join(f"{count:,} of {key}" for key, count in every[:_MOST_NAMED])
    left = len(every) - _MOST_NAMED
    more = f", and of {left:,} more" if left > 0 else ""
    yield f"{_count(total, 'pod')} {what}: {named}{more}"


_MOST_NAMED = 3


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
