"""Service.

Sources: ``pkg/apis/core/validation/validation.go`` (``ValidateService``),
``pkg/apis/core/v1/defaults.go``, and ``pkg/registry/core/service/portallocator`` for node ports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network

from kubelemma.model.components.endpointslice.decision import (
    endpoint_ports,
    ports_of,
    selects,
)
from kubelemma.model.components.endpointslicemirroring.decision import SERVICE_NAME
from kubelemma.model.components.kubeproxy.decision import LOCAL
from kubelemma.model.components.network.decision import Reach, isolating, reach
from kubelemma.model.findings import FieldPath, Finding, did_you_mean
from kubelemma.model.objects.endpoints import Endpoints, EndpointSlice
from kubelemma.model.objects.networkpolicy import NetworkPolicy
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.service import (
    EXTERNAL_NAME,
    HEADLESS,
    Service,
    ServicePort,
    ServiceSpec,
)

from .kind import Beside, Kind, Use
from .notes import NO_EFFECT, NOT_PLACING, STATUS, ByValue, Note, irrelevant, not_modelled
from .parts.names import dns_label, dns_service, dns_subdomain, label_key, port_name
from .parts.rules import labels, one_of, problem, within

_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", EXTERNAL_NAME)
_EXTERNAL = ("NodePort", "LoadBalancer")
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_POLICIES = ("Cluster", "Local")
_AFFINITIES = ("ClientIP", "None")
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
_LARGEST_PORT = 65535
_NODE_PORTS = (30000, 32767)
"""The range of node ports, but where ``--service-node-port-range`` says otherwise."""
_SPEC: FieldPath = ("spec",)

_HELD = (
    "a client that is held to a pod goes there as long as its proxy has the pod: that no such "
    "connection is lost is asked anyway"
)
_BALANCED = Note(
    "not modelled",
    "a load balancer is taken to know at once which nodes have a ready pod, unless a scenario "
    "states its cloud; what comes to a node port is followed",
)
_BALANCERS = (
    "load balancers are followed where a scenario states their cloud: who may reach them, and "
    "where, is not"
)


def _refused(thing: Service) -> Iterator[Finding]:
    spec = thing.spec
    yield from labels(spec.selector or {}, (*_SPEC, "selector"))
    yield from one_of(_TYPES, spec.type, (*_SPEC, "type"))
    yield from one_of(_AFFINITIES, spec.session_affinity, (*_SPEC, "sessionAffinity"))
    yield from one_of(_DISTRIBUTIONS, spec.traffic_distribution, (*_SPEC, "trafficDistribution"))
    yield from _of_type(spec)
    yield from _policies(spec)
    yield from _balancing(spec)
    yield from _ports(spec)


def _of_type(spec: ServiceSpec) -> Iterator[Finding]:
    ports, address = (*_SPEC, "ports"), (*_SPEC, "clusterIP")
    if spec.type == EXTERNAL_NAME:
        name: FieldPath = (*_SPEC, "externalName")
        if not spec.external_name:
            yield Finding(name, "is required: the Service is another name for that host")
        else:
            yield from problem(name, dns_subdomain(spec.external_name.removesuffix(".")))
        if spec.cluster_ip:
            yield Finding(address, "may not be set for ExternalName services")
        return
    if not spec.ports and spec.cluster_ip != HEADLESS:
        yield Finding(ports, "is required: only headless and ExternalName services have none")
    if spec.cluster_ip == HEADLESS and spec.type in _EXTERNAL:
        yield Finding(address, f"may not be set to 'None' for {spec.type} services")


def _policies(spec: ServiceSpec) -> Iterator[Finding]:
    internal, external = spec.internal_traffic_policy, spec.external_traffic_policy
    yield from one_of(_POLICIES, internal, (*_SPEC, "internalTrafficPolicy"))
    yield from one_of(_POLICIES, external, (*_SPEC, "externalTrafficPolicy"))
    if external and not (spec.type in _EXTERNAL or spec.external_ips):
        yield Finding(
            (*_SPEC, "externalTrafficPolicy"),
            "may only be set for externally-accessible services: those of type NodePort or "
            "LoadBalancer, or with externalIPs",
        )


def _balancing(spec: ServiceSpec) -> Iterator[Finding]:
    """What is for load balancers only (``ValidateService``, ``validateHealthCheckNodePort``)."""
    balanced = spec.type == "LoadBalancer"
    given = {
        "loadBalancerClass": bool(spec.load_balancer_class),
        "allocateLoadBalancerNodePorts": spec.allocate_load_balancer_node_ports is not None,
        "loadBalancerSourceRanges": bool(spec.load_balancer_source_ranges),
    }
    for field in (field for field, there in given.items() if there and not balanced):
        yield Finding((*_SPEC, field), "may only be used when `type` is 'LoadBalancer'")
    if balanced and spec.load_balancer_class:
        wrong = label_key(spec.load_balancer_class) and (
            f'"{spec.load_balancer_class}": name part must consist of alphanumeric characters, '
            "'-', '_' or '.', and must start and end with an alphanumeric character, after a "
            "domain and '/' if need be"
        )
        yield from problem((*_SPEC, "loadBalancerClass"), wrong)
    for index, text in enumerate(spec.load_balancer_source_ranges or ()):
        if balanced and not _is_range(text.strip()):
            yield Finding(
                (*_SPEC, "loadBalancerSourceRanges", index),
                f'"{text}" must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
            )
    yield from _health_check(spec, (*_SPEC, "healthCheckNodePort"))


def _health_check(spec: ServiceSpec, path: FieldPath) -> Iterator[Finding]:
    port = spec.health_check_node_port
    if not port:
        return
    if spec.type != "LoadBalancer" or spec.external_traffic_policy != "Local":
        yield Finding(
            path,
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        )
        return
    least, most = _NODE_PORTS
    if not least <= port <= most:
        yield Finding(
            path,
            f"failed to allocate requested HealthCheck NodePort {port}: provided port is not in "
            f"the valid range. The range of valid ports is {least}-{most}",
        )


def _is_range(text: str) -> bool:
    """Whether a text is a network, written as an address and the length of its prefix."""
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def _ports(spec: ServiceSpec) -> Iterator[Finding]:
    given = spec.ports or ()
    names: set[str] = set()
    taken: set[tuple[str, int]] = set()
    on_nodes: set[tuple[str, int]] = set()
    for index, port in enumerate(given):
        here: FieldPath = (*_SPEC, "ports", index)
        yield from _name(port.name, names, (*here, "name"), required=len(given) > 1)
        yield from one_of(_PROTOCOLS, port.protocol, (*here, "protocol"))
        yield from _number(port, taken, (*here, "port"))
        yield from _target(port, here)
        yield from _node_port(spec, port, on_nodes, (*here, "nodePort"))


def _name(name: str, seen: set[str], path: FieldPath, *, required: bool) -> Iterator[Finding]:
    if not name:
        if required:
            yield Finding(path, "is required where a Service has several ports")
        return
    yield from problem(path, dns_label(name))
    if name in seen:
        yield Finding(path, f'Duplicate value: "{name}" is the name of another port')
    seen.add(name)


def _number(port: ServicePort, seen: set[tuple[str, int]], path: FieldPath) -> Iterator[Finding]:
    yield from within(1, _LARGEST_PORT, port.port, path)
    taken = (port.protocol, port.port)
    if taken in seen:
        yield Finding(path, f"Duplicate value: {port.port}/{port.protocol} is another port")
    seen.add(taken)


def _target(port: ServicePort, here: FieldPath) -> Iterator[Finding]:
    path, target = (*here, "targetPort"), port.target_port
    if isinstance(target, int):
        if target:
            yield from within(1, _LARGEST_PORT, target, path)
    elif target.isdigit():
        yield Finding(path, f'"{target}" is a name, as it is quoted: write the number without')
    else:
        yield from problem(path, port_name(target))


def _node_port(
    spec: ServiceSpec, port: ServicePort, seen: set[tuple[str, int]], path: FieldPath
) -> Iterator[Finding]:
    if not port.node_port:
        return
    if spec.type not in _EXTERNAL:
        kind = spec.type or "ClusterIP"
        yield Finding(path, f"may not be used when type is '{kind}'")
        return
    least, most = _NODE_PORTS
    if not least <= port.node_port <= most:
        yield Finding(
            path,
            f"provided port is not in the valid range: {port.node_port} is not between {least} "
            f"and {most}",
        )
    taken = (port.protocol, port.node_port)
    if taken in seen:
        yield Finding(path, f"Duplicate value: {port.node_port}/{port.protocol} is another's")
    seen.add(taken)


def _advice(thing: Service) -> Iterator[Finding]:
    spec = thing.spec
    if spec.type == EXTERNAL_NAME and spec.selector:
        yield Finding((*_SPEC, "selector"), "is ignored: an ExternalName service has no endpoints")


def _beside(thing: Service, beside: Beside) -> Iterator[Finding]:
    """Whom it selects, and whether these have its ports."""
    spec = thing.spec
    if spec.type == EXTERNAL_NAME:
        return
    if not spec.selector:
        yield from _without_selector(thing, beside)
        return
    yield from _nodes_without(thing, beside)
    own = [pod for pod in beside.pods if selects(thing, pod)]
    yield from _shut_out(thing, own, beside.of(NetworkPolicy))
    yield from _ports_of(thing, own) if own else _without_pods(spec.selector, beside.pods)


def _without_selector(thing: Service, beside: Beside) -> Iterator[Finding]:
    """One whose endpoints are for somebody else to write."""
    name = thing.metadata.name
    slices = (s.metadata.label_map().get(SERVICE_NAME) for s in beside.of(EndpointSlice))
    if name not in (*(found.metadata.name for found in beside.of(Endpoints)), *slices):
        yield Finding(
            (*_SPEC, "selector"),
            "is not set, and no Endpoints or EndpointSlice here is of the Service: it refuses "
            "every connection unless somebody else writes one",
        )


def _shut_out(
    thing: Service, own: Sequence[Pod], policies: tuple[NetworkPolicy, ...]
) -> Iterator[Finding]:
    """Ports that no pod lets anybody reach."""
    for index, port in enumerate(thing.spec.ports or ()):
        reached = [
            (pod, reach(policies, pod, found))
            for pod in own
            for found in endpoint_ports(thing, pod.spec)
            if found.name == port.name
        ]
        if reached and all(how is Reach.NOBODY for _, how in reached):
            names = {p.metadata.name for pod, _ in reached for p in isolating(policies, pod)}
            yield Finding(
                (*_SPEC, "ports", index),
                f"no NetworkPolicy of its pods ({', '.join(sorted(names))}) lets anybody in to it: "
                f"connections to port {port.port} are dropped",
            )


def _nodes_without(thing: Service, beside: Beside) -> Iterator[Finding]:
    """Traffic that stays on its node, and more nodes than pods."""
    nodes, most = len(beside.of(Node)), beside.most(lambda pod: selects(thing, pod))
    if most is None or most >= nodes:
        return
    spec = thing.spec
    policies = {
        "externalTrafficPolicy": spec.external_traffic_policy,
        "internalTrafficPolicy": spec.internal_traffic_policy,
    }
    for field in (field for field, policy in policies.items() if policy == LOCAL):
        yield Finding(
            (*_SPEC, field),
            f"is Local, and at most {most} of {nodes} nodes have a pod of the Service: the others "
            "drop what comes to them",
        )


def _without_pods(selector: Mapping[str, str], pods: Sequence[Pod]) -> Iterator[Finding]:
    path: FieldPath = (*_SPEC, "selector")
    what = "all these labels"
    for key, value in selector.items():
        there = {pod.metadata.label_map().get(key, "") for pod in pods}
        if value not in there:
            path = (*path, key)
            what = f'the label {key}: "{value}"{did_you_mean(value, sorted(there - {""}))}'
            break
    yield Finding(
        path,
        f"no pod here has {what}: the Service selects none of them, and refuses every connection "
        "unless somebody else makes such pods",
    )


def _ports_of(thing: Service, own: Sequence[Pod]) -> Iterator[Finding]:
    """A named port that no pod has leads nowhere; one that some have, to these alone."""
    yield from _unlisted(thing, own)
    offered = [{port.name for port in endpoint_ports(thing, pod.spec)} for pod in own]
    for index, port in enumerate(thing.spec.ports or ()):
        having = sum(port.name in names for names in offered)
        if having == len(own):
            continue
        whose = "not every pod" if having else "no pod"
        then = "go to the others alone" if having else "are refused"
        yield Finding(
            (*_SPEC, "ports", index, "targetPort"),
            f'{whose} that the Service selects has a container with a port called "'
            f'{port.target_port}": connections to port {port.port} {then}',
        )


def _unlisted(thing: Service, own: Sequence[Pod]) -> Iterator[Finding]:
    """A number that no pod lists among its ports, though each lists some."""
    listed = [{(p.container_port, p.protocol) for p in ports_of(pod.spec)} for pod in own]
    if not all(listed):
        return
    there = sorted({number for ports in listed for number, _ in ports})
    for index, port in enumerate(thing.spec.ports or ()):
        number = port.target_port or port.port
        wanted = (number, port.protocol)
        if isinstance(number, int) and not any(wanted in ports for ports in listed):
            field = "targetPort" if port.target_port else "port"
            yield Finding(
                (*_SPEC, "ports", index, field),
                f"no pod that the Service selects lists port {number} ({port.protocol}), but "
                f"{', '.join(map(str, there))}: connections to port {port.port} are refused unless "
                "a container listens there all the same",
            )


KIND = Kind(
    Service,
    "v1",
    check=Use(
        fields={
            Service: irrelevant(STATUS, "status"),
            ServiceSpec: {
                **irrelevant(
                    NO_EFFECT,
                    "clusterIPs",
                    "ipFamilies",
                    "ipFamilyPolicy",
                    "allocateLoadBalancerNodePorts",
                    "sessionAffinityConfig",
                    "healthCheckNodePort",
                ),
                **not_modelled(
                    _BALANCERS,
                    "loadBalancerIP",
                    "loadBalancerSourceRanges",
                ),
                "externalTrafficPolicy": ByValue(("Cluster",), None, _BALANCED),
                **irrelevant(_HELD, "sessionAffinity"),
            },
            ServicePort: irrelevant(NO_EFFECT, "appProtocol"),
        }
    ),
    placement=Use(Note("irrelevant", NOT_PLACING)),
    names=dns_service,
    refused=_refused,
    advice=_advice,
    beside=_beside,
)
