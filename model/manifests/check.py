"""The ``kind: Check`` document: what is checked, in which cluster, under which events.

Unlike Kubernetes' own kinds it is closed: a key that it does not have is a mistake.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from kubelemma.model.components.kubelet.decision.resizing import Resizing
from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.kinds.parts.names import dns_subdomain
from kubelemma.model.kinds.parts.rules import at_least, problem
from kubelemma.model.objects.meta import ApiStruct, ObjectMeta
from kubelemma.model.objects.quantity import Quantity
from kubelemma.model.versions import version_problem

from .clouds import (
    CloudControllerRestart,
    CloudSpec,
    DeleteService,
    HoldLoadBalancer,
    OfService,
    ReleaseLoadBalancer,
    StripFinalizer,
    cloud_findings,
    service_findings,
    without_cloud,
)
from .groups import Cluster, distinct_names, validate_nodes
from .losses import DeleteClaim, DeleteVolume, loss_findings
from .machines import (
    Cordon,
    DeleteNode,
    Drain,
    InService,
    MachineMissing,
    MachineStopped,
    MachineUnknown,
    MemoryPressure,
    NodeCrash,
    NodePartition,
    NodeReturn,
    NodeShutdown,
    OfNode,
    OutOfService,
    RefuseRoutes,
    RegisterNode,
    RuntimeOutage,
    RuntimeReturn,
    Uncordon,
)
from .named import (
    CreateConfigMap,
    CreateSecret,
    DeleteConfigMap,
    DeleteSecret,
    DeleteServiceAccount,
    InitWaiting,
    OfObject,
    RegistryOutage,
    RegistryReturn,
    init_wait,
    label_change,
    named_object,
    source_problem,
)
from .networks import ReuseAddress, ZoneSplit
from .options import Bounds, ControllerManagerOptions, Faults, SchedulerOptions


class OfWorkload(ApiStruct, frozen=True, kw_only=True):
    """An event of a workload.

    Where none is named, it is an event of each that takes it, so many times of each. It is named
    as NAME or NAMESPACE/NAME: either as ``deployment``, or as ``workload`` of whatever
    kind, which may stand before the name (KIND/NAME, KIND/NAMESPACE/NAME).
    """

    deployment: str = ""
    workload: str = ""

    @property
    def written(self) -> str:
        """The field that names the workload."""
        return "deployment" if self.deployment else "workload"

    @property
    def meant(self) -> str:
        """The workload that is meant, as ``workload`` names it."""
        return f"Deployment/{self.deployment}" if self.deployment else self.workload


def namings(kind: str, namespace: str, name: str) -> dict[str, tuple[str, ...]]:
    """How an event may name a workload, by the field that does."""
    plain = (name, f"{namespace}/{name}")
    with_kind = (*plain, *(f"{kind}/{each}" for each in plain))
    return {"workload": with_kind, "deployment": plain if kind == "Deployment" else ()}


class Rollout(OfWorkload, frozen=True, kw_only=True):
    """Somebody applies a new template, whose pods behave as ``newVersion`` says."""

    max: int = 1
    new_version: Literal[
        "healthy",
        "neverReady",
        "crashLooping",
        "imageCannotBePulled",
        "initFails",
        "postStartFails",
        "gateNeverTrue",
    ] = "healthy"


class Scale(OfWorkload, frozen=True, kw_only=True):
    """Somebody sets the number of replicas."""

    replicas: int
    max: int = 1


class Pause(OfWorkload, frozen=True, kw_only=True):
    """Somebody pauses a Deployment."""

    max: int = 1


class Resume(OfWorkload, frozen=True, kw_only=True):
    """Somebody resumes a paused Deployment."""

    max: int = 1


class Rollback(OfWorkload, frozen=True, kw_only=True):
    """Somebody goes back to the template before."""

    max: int = 1


class DeletePod(OfWorkload, frozen=True, kw_only=True):
    """Somebody deletes a pod of a workload."""

    max: int = 1


class ForceDeletePod(OfWorkload, frozen=True, kw_only=True):
    """Somebody deletes a pod of a workload by force, whatever its kubelet knows of that."""

    max: int = 1


class Relabel(OfWorkload, frozen=True, kw_only=True):
    """Somebody changes a label of a pod, so that its owner does not match it any more.

    Attributes:
        label: as ``kubectl label`` has it: KEY=VALUE, or KEY- to take one away; the first that the
            owner selects by is taken away where nothing is said.
    """

    label: str = ""
    max: int = 1


class Resize(OfWorkload, frozen=True, kw_only=True):
    """Somebody asks that a pod of a workload be resized in place.

    Attributes:
        container: of which container; of the first where none is named.
        cpu, memory: what it is to request.
    """

    container: str = ""
    cpu: Quantity | None = None
    memory: Quantity | None = None
    max: int = 1

    @property
    def options(self) -> Resizing:
        """What is asked for."""
        return Resizing(self.container, self.cpu, self.memory)


class ProbeFailure(OfWorkload, frozen=True, kw_only=True):
    """A ready pod of a workload becomes unready."""

    max: int = 1


class LateCleanup(OfWorkload, frozen=True, kw_only=True):
    """A pod of a workload has ended for the API, and holds its room until it is cleaned up."""

    max: int = 1


class Apply(ApiStruct, frozen=True, kw_only=True):
    """Somebody applies objects to those of the scenario, each at any time, and each in the end.

    Attributes:
        resources: files and directories, relative to the document's own.
        prune: whether what is not among them is taken away.
    """

    resources: tuple[str, ...] = ()
    prune: bool = False

    @property
    def max(self) -> int:
        """Each object is applied once."""
        return 1


Event: TypeAlias = (
    Apply
    | Rollout
    | Scale
    | Pause
    | Resume
    | Rollback
    | DeletePod
    | ForceDeletePod
    | Relabel
    | Resize
    | ProbeFailure
    | LateCleanup
    | OfNode
    | OfObject
    | DeleteClaim
    | DeleteVolume
    | OfService
    | ReuseAddress
    | ZoneSplit
    | RegistryOutage
    | RegistryReturn
)


class EventEntry(ApiStruct, frozen=True, kw_only=True):
    """One item of ``spec.events``: exactly one of its fields is set, which validation sees to.

    It may happen at any time, at most ``max`` times.
    """

    rollout: Rollout | None = None
    scale: Scale | None = None
    pause: Pause | None = None
    resume: Resume | None = None
    rollback: Rollback | None = None
    cordon: Cordon | None = None
    uncordon: Uncordon | None = None
    drain: Drain | None = None
    delete_pod: DeletePod | None = None
    force_delete_pod: ForceDeletePod | None = None
    relabel: Relabel | None = None
    resize: Resize | None = None
    node_crash: NodeCrash | None = None
    node_partition: NodePartition | None = None
    node_return: NodeReturn | None = None
    node_shutdown: NodeShutdown | None = None
    memory_pressure: MemoryPressure | None = None
    runtime_outage: RuntimeOutage | None = None
    runtime_return: RuntimeReturn | None = None
    out_of_service: OutOfService | None = None
    in_service: InService | None = None
    machine_missing: MachineMissing | None = None
    machine_stopped: MachineStopped | None = None
    machine_unknown: MachineUnknown | None = None
    refuse_routes: RefuseRoutes | None = None
    delete_node: DeleteNode | None = None
    register_node: RegisterNode | None = None
    probe_failure: ProbeFailure | None = None
    late_cleanup: LateCleanup | None = None
    delete_claim: DeleteClaim | None = None
    delete_volume: DeleteVolume | None = None
    delete_service: DeleteService | None = None
    strip_finalizer: StripFinalizer | None = None
    hold_load_balancer: HoldLoadBalancer | None = None
    release_load_balancer: ReleaseLoadBalancer | None = None
    reuse_address: ReuseAddress | None = None
    zone_split: ZoneSplit | None = None
    cloud_controller_restart: CloudControllerRestart | None = None
    delete_service_account: DeleteServiceAccount | None = None
    delete_config_map: DeleteConfigMap | None = None
    create_config_map: CreateConfigMap | None = None
    delete_secret: DeleteSecret | None = None
    create_secret: CreateSecret | None = None
    registry_outage: RegistryOutage | None = None
    registry_return: RegistryReturn | None = None
    apply: Apply | None = None

    def given(self) -> tuple[tuple[str, Event], ...]:
        """The fields that are set, by their names on the wire."""
        values = (getattr(self, name) for name in self.__struct_fields__)
        named = zip(self.__struct_encode_fields__, values, strict=True)
        return tuple((name, value) for name, value in named if value is not None)

    @property
    def loses_node(self) -> bool:
        """Whether it keeps a kubelet from working on its pods."""
        lost = (self.node_crash, self.node_partition, self.node_shutdown, self.runtime_outage)
        return any((*lost, self.delete_node, self.memory_pressure))

    @property
    def event(self) -> Event:
        """The one event."""
        ((_, event),) = self.given()
        return event


BEST, ANYWHERE = "best", "anywhere"
"""Where the pods of a workload are at the start of which the input has none."""


class CheckSpec(ApiStruct, frozen=True, kw_only=True):
    """What is checked.

    Attributes:
        kubernetes: the version, such as ``1.35``; empty for the newest that is modelled.
        resources: files and directories, relative to the document's own.
        events: what may happen; () is nothing, None what is asked where nothing is said.
        start: whether pods of which the input says nothing begin where the scheduler's scores
            favour it, or on any nodes that pass its filters.
        workloads: which of the workloads found are checked; all where none is named.
        together: workloads that share one system; each is checked alone where none is named.
        missing: ConfigMaps and Secrets that are not there, as KIND/NAME or KIND/NAMESPACE/NAME.
        cloud: in which the cluster runs; None is none that does anything.
        start_seconds: how long containers take until their probes succeed; None is soon enough.
        init_waits: init containers that wait, and for whom; all others end by themselves.
        properties: ids; all that apply where none is given.
        expect: the verdict that a property is known to have.
    """

    kubernetes: str = ""
    resources: tuple[str, ...] = ()
    cluster: Cluster = Cluster()
    events: tuple[EventEntry, ...] | None = None
    start: Literal["best", "anywhere"] = "best"
    faults: Faults = Faults()
    scheduler: SchedulerOptions = SchedulerOptions()
    controller_manager: ControllerManagerOptions = ControllerManagerOptions()
    together: tuple[str, ...] = ()
    workloads: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    cloud: CloudSpec | None = None
    start_seconds: int | None = None
    init_waits: tuple[InitWaiting, ...] = ()
    properties: tuple[str, ...] = ()
    bounds: Bounds = Bounds()
    expect: Mapping[str, Literal["holds", "violated", "inconclusive", "vacuous"]] = {}


class Check(ApiStruct, frozen=True, kw_only=True):
    """A scenario."""

    metadata: ObjectMeta = ObjectMeta()
    spec: CheckSpec = CheckSpec()


def with_bare_events(raw: object) -> object:
    """The document in which an event without arguments, and a cloud, may be without ``{}``."""
    match raw:
        case {"spec": {"cloud": None, **spec}, **rest}:
            return with_bare_events({**rest, "spec": {**spec, "cloud": {}}})
        case {"spec": {"events": [*events], **spec}, **rest}:
            filled = [_bare(event) for event in events]
            return {**rest, "spec": {**spec, "events": filled}}
        case _:
            return raw


def _bare(event: object) -> object:
    match event:
        case {**items} if len(items) == 1:
            return {name: {} if value is None else value for name, value in items.items()}
        case _:
            return event


def validate_check(check: Check) -> Iterator[Finding]:
    """What is wrong with a scenario by itself, whatever the manifests hold."""
    name: FieldPath = ("metadata", "name")
    yield from problem(
        name, dns_subdomain(check.metadata.name) if check.metadata.name else "is required"
    )
    spec = check.spec
    if spec.kubernetes:
        yield from problem(("spec", "kubernetes"), version_problem(spec.kubernetes))
    for index, group in enumerate(spec.cluster.nodes):
        yield from validate_nodes(group, ("spec", "cluster", "nodes", index))
    yield from distinct_names(spec.cluster.nodes, ("spec", "cluster", "nodes"))
    for index, entry in enumerate(spec.events or ()):
        yield from validate_event(entry, ("spec", "events", index))
        for field, given in entry.given():
            yield from without_cloud(spec.cloud, given, ("spec", "events", index, field))
    yield from cloud_findings(spec.cloud, ("spec", "cloud"))
    yield from _pruning(spec.events or (), ("spec", "events"))
    faults: FieldPath = ("spec", "faults")
    reads, lists = spec.faults.stale_reads, spec.faults.stale_lists
    yield from at_least(0, reads, (*faults, "staleReads"))
    yield from at_least(0, lists, (*faults, "staleLists"))
    if lists is not None and lists > reads:
        message = f"{lists} is more than staleReads, {reads}: lists lag no more than caches may"
        yield Finding((*faults, "staleLists"), message)
    yield from at_least(0, spec.faults.controller_restarts, (*faults, "controllerRestarts"))
    yield from at_least(0, spec.faults.api_server_outages, (*faults, "apiServerOutages"))
    yield from at_least(0, spec.faults.lost_requests, (*faults, "lostRequests"))
    yield from _bounds(spec.bounds, ("spec", "bounds"))
    yield from at_least(0, spec.start_seconds, ("spec", "startSeconds"))
    for index, waiting in enumerate(spec.init_waits):
        yield from init_wait(waiting, ("spec", "initWaits", index))
    for index, text in enumerate(spec.missing):
        yield from problem(("spec", "missing", index), source_problem(text))
    for identifier in spec.expect:
        if spec.properties and identifier not in spec.properties:
            yield Finding(("spec", "expect", identifier), "is not among spec.properties")


def validate_event(entry: EventEntry, path: FieldPath) -> Iterator[Finding]:
    """What is wrong with one event."""
    given = entry.given()
    if len(given) != 1:
        names = " and ".join(name for name, _ in given)
        found = f"{names} are" if given else "none is"
        options = ", ".join(event_names())
        yield Finding(path, f"{found} given, where exactly one event is expected: {options}")
    for name, event in given:
        yield from at_least(1, event.max, (*path, name, "max"))
        if isinstance(event, Drain):
            skipped = event.skip_wait_for_delete_timeout_seconds
            yield from at_least(0, event.timeout_seconds, (*path, name, "timeoutSeconds"))
            yield from at_least(0, skipped, (*path, name, "skipWaitForDeleteTimeoutSeconds"))
        if isinstance(event, Relabel) and event.label:
            yield from label_change(event.label, (*path, name, "label"))
        if isinstance(event, Resize):
            yield from _resize(event, (*path, name))
        if isinstance(event, Apply) and not all(event.resources or ("",)):
            yield Finding((*path, name, "resources"), "names nothing that is applied")
        if isinstance(event, Scale):
            yield from at_least(0, event.replicas, (*path, name, "replicas"))
        yield from _target(event, (*path, name))


def _resize(event: Resize, path: FieldPath) -> Iterator[Finding]:
    """It asks for something, and for no amount below nothing."""
    given = event.options.requests
    if not given:
        yield Finding(path, "asks for nothing: give cpu, memory, or both")
    for resource, amount in given.items():
        if amount.amount < 0:
            yield Finding((*path, resource), f"{amount} must be greater than or equal to 0")


def _pruning(entries: tuple[EventEntry, ...], path: FieldPath) -> Iterator[Finding]:
    """What goes is what nothing names that is applied: so all of that is one event."""
    applied = [(index, entry.apply) for index, entry in enumerate(entries) if entry.apply]
    for index, apply in applied if len(applied) > 1 else ():
        if apply.prune:
            message = "is not allowed beside other events of that kind: name all resources in one"
            yield Finding((*path, index, "apply", "prune"), message)


def _target(event: Event, path: FieldPath) -> Iterator[Finding]:
    """A workload, a node or an account may be named, a workload with kind and namespace."""
    match event:
        case OfObject():
            yield from named_object(event, path)
        case OfNode():
            if event.node:
                yield from problem((*path, "node"), dns_subdomain(event.node))
        case DeleteClaim() | DeleteVolume():
            yield from loss_findings(event, path)
        case OfService():
            yield from service_findings(event, path)
        case OfWorkload():
            *_, name = event.meant.split("/")
            message = dns_subdomain(name) if event.meant else None
            if event.deployment and event.workload:
                message = "is not allowed beside deployment: one workload is meant"
                yield Finding((*path, "workload"), message)
            else:
                yield from problem((*path, event.written), message)


def event_names() -> tuple[str, ...]:
    """All events by their names on the wire."""
    return EventEntry.__struct_encode_fields__


def _bounds(bounds: Bounds, path: FieldPath) -> Iterator[Finding]:
    yield from at_least(1, bounds.max_pods, (*path, "maxPods"))
    yield from at_least(1, bounds.max_objects, (*path, "maxObjects"))
    if bounds.max_states is not None and bounds.max_states < 1:
        yield Finding((*path, "maxStates"), f"{bounds.max_states} is less than 1")
    if bounds.time_limit_seconds is not None and bounds.time_limit_seconds <= 0:
        yield Finding(
            (*path, "timeLimitSeconds"), f"{bounds.time_limit_seconds:g} is not more than 0"
        )
    if bounds.max_memory is not None and bounds.max_memory.amount <= 0:
        yield Finding((*path, "maxMemory"), f'"{bounds.max_memory}" is not more than 0')
