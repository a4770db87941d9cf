"""Write docs/coverage.md: of each component of Kubernetes and its duties, what the model has.

usage: python tools/coverage_page.py [FILE]

What a duty is done by is said here; that it is there, and in whose room, is read from the
registries. `missing` is what they have and no duty names.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import yaml

from kubelemma.model.components.registry import COMPONENTS
from kubelemma.model.kinds.other import OTHER
from kubelemma.model.kinds.registry import BY_NAME
from kubelemma.model.versions import MODELLED
from kubelemma.properties.catalogue import STATEMENTS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "coverage.md"
GALLERY = ROOT / "tests" / "gallery" / "expectations.yaml"


class Duty(NamedTuple):
    """A duty of a component.

    Attributes:
        what: the duty, in a few words.
        steps: the actions of rules, and the events, by which it is done.
        promises: the properties that are about it.
        cases: examples of the gallery in which it goes wrong, or has to be done.
        rooms: rooms whose decisions others ask, so that they have no steps of their own.
        left: what of the duty is not there; of one with no step and no room, why.
    """

    what: str
    steps: tuple[str, ...] = ()
    promises: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    left: str = ""

    @property
    def empty(self) -> bool:
        """Whether the model has nothing of it."""
        return not self.steps and not self.rooms


DUTIES: Mapping[str, tuple[Duty, ...]] = {
    "etcd": (
        Duty(
            "stores what the API server writes, consistently",
            left="the state of a system is the store: one copy, never lost; a write is one step",
        ),
        Duty("quorum, compaction, backup and restore"),
    ),
    "API server": (
        Duty(
            "fills in defaults and validates what is written",
            rooms=("kinds",),
            left="of the kinds that are read",
        ),
        Duty("stores, binds and deletes pods, with preconditions and grace", rooms=("apiserver",)),
        Duty(
            "serves watches and caches; may be away",
            ("api-server-outage",),
            left="caches lag only for reconcile functions",
        ),
        Duty(
            "evicts by way of budgets",
            ("grant-eviction", "evict-pod", "evict-unready-pod", "lost-request"),
            ("PDB-1", "PDB-4"),
            ("eviction-stale-status", "eviction-during-rollout", "budget-protects-crash-loop"),
        ),
        Duty(
            "admits pods: limits, priorities, runtimes, accounts",
            ("fail-create", "refuse-pod"),
            ("SA-2",),
            ("missing-service-account",),
        ),
        Duty("quotas", left="a ResourceQuota is listed"),
        Duty("webhooks and admission policies", left="listed"),
        Duty("authentication, authorization, priority and fairness"),
    ),
    "Controller manager": (
        Duty("runs the controllers, and restarts", ("forget", "controller-restart")),
        Duty(
            "node controller: health, taints, zones",
            (
                *("node-ready", "node-unknown", "node-not-ready", "pod-unready"),
                *("taint-no-schedule", "taint-no-execute", "untaint"),
                *("swap-no-schedule", "swap-no-execute"),
                *("judge-zones", "know-nodes", "catch-up"),
            ),
            ("NODE-1", "NODE-2", "NODE-3"),
            ("zone-partly-down", "rollout-node-crash"),
        ),
        Duty(
            "taint eviction",
            ("evict",),
            ("NODE-2", "NODE-4"),
            ("nodename-taint-loop", "tolerationseconds-loop"),
        ),
        Duty(
            "replication: ReplicaSets and ReplicationControllers",
            (
                *("count-pods", "decide", "create-pod", "choose-pending-pods", "choose-pod"),
                *("delete-pod", "write-status", "release-pod", "adopt-pod", "relabel"),
            ),
            ("RS-1", "RS-2", "RS-3", "RS-4", "RS-5"),
            ("drain-lone-replicaset", "relabelled-pod-keeps-room", "drain-adopted-pod"),
        ),
        Duty(
            "Deployments",
            (
                *("create-replicaset", "scale-replicaset", "annotate-revision"),
                *("delete-replicaset", "give-up-sync", "rollout", "pause", "resume", "rollback"),
            ),
            ("DEP-1", "DEP-2", "DEP-3", "DEP-4", "DEP-6", "DEP-9", "STUCK"),
            (
                *("rollout-anti-affinity", "full-cluster", "recreate-overlap", "cordon-rollout"),
                *("crashing-version", "spread-deadlock", "unpullable-image"),
            ),
            left="progressDeadlineSeconds sets no condition",
        ),
        Duty(
            "disruption: the status of budgets",
            ("write-budget", "give-back-eviction", "count-disruptions"),
            ("PDB-2", "PDB-3"),
        ),
        Duty("garbage collection", ("collect-pod", "prune"), left="of pods whose owner is gone"),
        Duty("service accounts", ("delete-serviceaccount",), ("SA-1",)),
        Duty("tokens of service accounts"),
        Duty(
            "EndpointSlices: which pods of a Service are ready, and which terminate",
            ("write-endpoint-slice",),
            ("EPS-1", "EPS-3"),
            left="a pod that becomes Ready is known at once; one leaving pod is followed at a time",
        ),
        Duty(
            "Endpoints",
            rooms=("endpoint",),
            left="nobody who sends traffic goes by them: they are held against recorded runs",
        ),
        Duty(
            "mirroring of Endpoints",
            rooms=("endpointslicemirroring",),
            left="which are mirrored is said beforehand; addresses are those of no pod here",
        ),
        Duty("namespaces"),
        Duty("quotas"),
        Duty(
            "StatefulSets",
            (
                *("number-revision", "decide-pods", "create-ordinal", "fail-create-ordinal"),
                *("delete-ordinal", "find-gone", "write-set-status", "delete-revision"),
                *("create-claim", "condemn-claim", "keep-claim", "collect-claim"),
            ),
            ("STS-1", "STS-2", "STS-3", "STS-4", "STS-5", "STS-6", "STS-7", "STS-8"),
            (
                *("statefulset-broken-update", "statefulset-lost-node"),
                *("statefulset-forced-deletion", "statefulset-volume-on-lost-node"),
                "statefulset-retention",
            ),
            left="orphans count as adopted from the start",
        ),
        Duty("DaemonSets, Jobs and CronJobs"),
        Duty("horizontal autoscaling"),
        Duty(
            "volumes: binding, and provisioning",
            (
                *("provision-volume", "reserve-volume", "volume-bound", "bind-claim"),
                *("claim-bound", "release-volume", "reclaim-volume"),
            ),
            ("VOL-1", "VOL-4", "VOL-5"),
            ("claims-in-two-zones", "claim-without-volume", "volume-in-full-zone"),
            left="provisioners fail only where a driver has no such volumes",
        ),
        Duty(
            "volumes: attaching and detaching",
            ("attach", "detach", "force-detach"),
            ("VOL-3",),
            ("rwo-claim-rollout", "volume-on-lost-node"),
        ),
        Duty(
            "volumes: protection of what is in use",
            ("remove-claim", "remove-volume", "delete-claim", "delete-volume"),
            ("VOL-2",),
            ("claim-deleted",),
        ),
        Duty("volumes: expansion, snapshots, ephemeral ones"),
        Duty(
            "pod garbage collection",
            ("force-delete", "collect-orphan", "out-of-service", "in-service"),
            ("GC-1", "GC-2"),
            ("volume-on-lost-node", "node-deleted-under-pods", "node-deleted-running"),
            left=(
                "terminated pods beyond the threshold: what has ended holds nothing and is not kept"
            ),
        ),
        Duty("time to live after finishing; certificates; cluster roles; root certificates"),
        Duty(
            "controllers of users",
            ("sync", "create", "update", "patch", "delete", "get", "restart", "watch"),
        ),
    ),
    "Scheduler": (
        Duty(
            "filters nodes, scores them where asked, and binds",
            ("bind",),
            ("SCH-1", "SCH-2", "SCH-3"),
            ("spread-small-node", "spread-conflict"),
        ),
        Duty("preemption", left="`kubelemma place` has it, a check has not"),
        Duty(
            "volumes: their zones, limits and bindings",
            ("reserve-volume",),
            ("VOL-5",),
            ("volume-in-full-zone", "drain-full-of-volumes"),
        ),
        Duty("devices"),
        Duty("gangs of pods"),
    ),
    "Cloud controller manager": (
        Duty(
            "node lifecycle: removes Nodes whose machines are gone, and with them their pods",
            ("machine-missing", "delete-node", "collect-orphan"),
            ("CCM-1",),
            ("cloud-machine-misreported",),
        ),
        Duty(
            "node lifecycle: taints Nodes whose machines are switched off",
            ("machine-stopped", "taint-shutdown", "untaint-shutdown"),
            ("CCM-3",),
            ("stopped-node-returns",),
        ),
        Duty(
            "node controller: initialises new Nodes",
            ("initialize-node", "machine-unknown"),
            ("CCM-2",),
            ("new-node-unknown", "uninitialized-node"),
            left="no Node joins that was never there; addresses and labels do not change later",
        ),
        Duty(
            "route controller",
            ("create-route", "untaint-network", "refuse-routes"),
            ("CCM-4",),
            ("new-node-without-route",),
            left="a route that is there stays; ranges of addresses are taken as given",
        ),
        Duty(
            "service controller: load balancers",
            (
                *("add-finalizer", "ensure-load-balancer", "write-load-balancer"),
                *("delete-load-balancer", "remove-service", "delete-service", "strip-finalizer"),
                *("hold-load-balancer", "release-load-balancer", "fail-health-check"),
                *("cloud-controller-restart", "know-service"),
            ),
            ("LB-1", "LB-2", "LB-3", "LB-5"),
            (
                *("load-balancer-refused", "load-balancer-stripped", "whole-flow-unserved"),
                *("balancer-loses-requests", "balancer-drain-loses-requests"),
                *("load-balancer-forgotten", "balancer-without-nodes"),
            ),
            left="nodes that come behind one, or go",
        ),
        Duty(
            "volumes of the cloud: made, bound and attached by drivers outside of it",
            cases=("whole-flow-unserved", "volume-in-full-zone", "volume-on-lost-node"),
            rooms=("persistentvolume", "attachdetach"),
            left="a cloud that refuses a disk; its own limits are those that nodes state",
        ),
        Duty(
            "load balancers that send to pods, and their readiness gates",
            ("register-target",),
            ("LB-4",),
            ("balancer-left-behind",),
            left="how long one sends to a deleted pod; those of Ingresses",
        ),
    ),
    "kubelet": (
        Duty(
            "admits pods by its own idea of its node",
            ("admit", "reject", "late-cleanup"),
            ("KUB-1", "KUB-2", "KUB-7", "KUB-11"),
            ("kubelet-rejects", "room-not-yet-free"),
            left="rejected pods are not kept",
        ),
        Duty(
            "waits for ConfigMaps and Secrets, and starts containers",
            (
                *("start", "delete-configmap", "create-configmap"),
                *("delete-secret", "create-secret"),
            ),
            ("KUB-8", "KUB-9"),
            ("missing-configmap",),
            left="all containers of a pod are one",
        ),
        Duty(
            "init containers and sidecars in order",
            ("start",),
            ("KUB-3",),
            ("init-waits-for-itself",),
            left="those of which no scenario says that they wait or fail end by themselves",
        ),
        Duty(
            "mounts volumes before containers start, and unmounts them",
            ("mount", "unmount"),
            (),
            ("rwo-claim-rollout",),
        ),
        Duty(
            "pulls images",
            ("start", "registry-outage", "registry-return"),
            (),
            ("unpullable-image", "registry-outage", "image-on-one-node"),
            left="one registry for all; how long a pull, or a back-off, takes: it is order",
        ),
        Duty(
            "probes, and restarts what fails",
            ("become-ready", "probe-failure", "container-crash", "kill-starting"),
            ("KUB-4", "KUB-5", "KUB-10"),
            ("slow-start", "crashing-version", "probe-of-no-port", "gate-never-true"),
            left="probes that pass fail by an event only; gates open in the end, or never",
        ),
        Duty("waits for minReadySeconds", ("become-available",)),
        Duty(
            "ends pods, with grace and hooks before the end",
            ("finish-termination", "late-cleanup"),
            ("KUB-6",),
            ("drain-dead-node",),
            left="how long that takes, but where traffic is followed",
        ),
        Duty(
            "reports node status and Lease; a machine dies and returns",
            ("node-crash", "node-return", "runtime-outage", "runtime-return"),
            (),
            ("drain-not-ready-node",),
            left="either heartbeat counts, so that there are no Leases",
        ),
        Duty(
            "evicts under pressure",
            (
                *("memory-pressure", "evict-for-memory", "memory-freed"),
                *("report-memory-pressure", "memory-pressure-ends"),
            ),
            ("MEM-1", "DRAIN-2"),
            ("memory-pressure",),
            left="of memory alone: disks and processes are not followed; pods that stand by stay",
        ),
        Duty(
            "registers its Node, when it starts",
            ("user-delete-node", "register-node"),
            ("NODE-5",),
            ("node-returns-uncordoned",),
            left="labels and taints of users are taken to be the kubelet's own",
        ),
        Duty(
            "static pods",
            (),
            (),
            ("static-pods-take-room",),
            rooms=("kubelet",),
            left="they are load that never moves; no file appears later, and nobody is preempted",
        ),
        Duty(
            "shuts down gracefully",
            ("node-shutdown", "end-pod", "power-off"),
            ("DRAIN-2", "SHUT-1", "SHUT-2"),
            ("shutdown-against-budget",),
            left="groups by priority of one's own; a time that is too short",
        ),
        Duty(
            "runs on while it is cut off",
            ("node-partition", "force-delete-pod"),
            ("STS-1", "DEP-10"),
            ("statefulset-forced-deletion", "statefulset-lost-node", "partitioned-singleton"),
        ),
        Duty(
            "resizes in place",
            ("resize", "resize-pod", "refuse-resize"),
            ("KUB-15", "KUB-11"),
            ("resize-deferred", "resize-takes-room"),
            left="StatefulSets; restarts for it; the order in which those that wait are tried",
        ),
    ),
    "Container runtime": (
        Duty(
            "sandboxes and containers",
            ("start", "container-crash", "runtime-outage", "runtime-return"),
            (),
            ("crashing-version", "drain-not-ready-node"),
            left="a pod is one thing that runs, or not; its sandbox is a new one after a boot",
        ),
        Duty(
            "images, their collection",
            ("start",),
            (),
            ("registry-outage", "image-on-one-node"),
            left="what was pulled for pods that are gone may have been collected at any time",
        ),
        Duty(
            "Docker, containerd, CRI-O and others",
            left="no difference that the control plane sees, but for what a RuntimeClass says",
        ),
    ),
    "kube-proxy": (
        Duty(
            "sends new connections to endpoints",
            ("hear-of-endpoints", "stop-serving"),
            ("EPS-2", "EPS-4"),
            ("rollout-loses-requests", "drain-loses-requests"),
            left="session affinity changes no verdict",
        ),
        Duty(
            "keeps traffic on its node where the policy says so",
            ("hear-of-endpoints",),
            ("PROXY-1",),
            ("local-traffic-dropped",),
            left="health checks of load balancers are the service controller's",
        ),
    ),
    "DNS": (
        Duty(
            "names the pods of headless Services, whose addresses clients keep",
            ("resolve-again",),
            ("DNS-1", "DNS-2"),
            ("headless-loses-requests",),
            left="names of other Services never change; a pod that becomes Ready is named at once",
        ),
    ),
    "Ingress controllers": (
        Duty(
            "send requests to the endpoints of Services",
            ("hear-of-backends", "load-backends"),
            ("ING-1", "ING-2", "ING-3"),
            ("ingress-loses-requests", "whole-flow-unserved"),
            left="the order of paths and hosts, certificates, and the status of the Ingress",
        ),
    ),
    "Network": (
        Duty(
            "addresses of pods, and their reuse",
            ("reuse-address",),
            ("NET-1",),
            ("address-reused",),
            left="of a pod that is deleted: another may have its address once it has stopped",
        ),
        Duty(
            "between nodes, and zones",
            ("zone-split", "node-partition"),
            ("NET-2",),
            ("zones-parted",),
            left="a node is cut off from all others and the API server, or whole zones part",
        ),
        Duty(
            "network policies",
            rooms=("network",),
            left="said of Services and Ingresses that nobody reaches; what pods may reach is not",
        ),
    ),
    "kubectl and users": (
        Duty(
            "drain",
            ("drain", "drain-refuses", "drain-delete", "give-up-eviction", "drain-times-out"),
            ("DRAIN-1", "DRAIN-2", "DRAIN-3"),
            (
                *("drain-blocked-by-budget", "drain-full-cluster", "drain-one-after-another"),
                "drain-without-spare",
            ),
        ),
        Duty(
            "scale, apply, delete, cordon",
            ("scale", "apply", "user-delete-pod", "cordon", "uncordon"),
        ),
    ),
}
"""By component."""

OBJECTS = ("Pod", "Service", "Ingress", "ConfigMap", "Secret", "PersistentVolume", "ReplicaSet")
"""The kinds that the overview of Kubernetes names; a volume is a part of a pod, and a kind."""

HEAD = (
    "# Coverage\n\n"
    f"What the model has of each component of {MODELLED}, and of each of its duties. A "
    "*room* is a folder in `model/components/`, or `model/kinds/`; *steps* are what its rules do, "
    "and what users and faults may do; *promises* are the properties about it; *examples* are "
    "cases of the [gallery](gallery.md). What is empty is said to be empty: no verdict says "
    "anything of it. What is left out of duties that are there is in [model.md](model.md) in full. "
    "This page is written by `make pages`.\n\n"
)


def page() -> str:
    """The whole page."""
    return HEAD + "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    for component, duties in DUTIES.items():
        yield from (f"## {component}", "")
        yield "| duty | room | steps | promises | examples | left out |"
        yield "|---|---|---|---|---|---|"
        yield from map(_row, duties)
        yield ""
    yield from ("## Objects", "", "| kind | in a check |", "|---|---|")
    for name in OBJECTS:
        yield f"| {name} | {_said(name)} |"


def _row(duty: Duty) -> str:
    rooms = dict.fromkeys((*duty.rooms, *(ROOMS.get(step, "?") for step in duty.steps)))
    cells = (
        duty.what,
        ", ".join(f"`{room}/`" for room in rooms) or "**empty**",
        ", ".join(f"`{step}`" for step in duty.steps),
        ", ".join(f"[{name}](properties/{name}.md)" for name in duty.promises),
        ", ".join(f"[{name}](gallery.md#{name})" for name in duty.cases),
        duty.left,
    )
    return f"| {' | '.join(cells)} |"


def _said(name: str) -> str:
    if name in BY_NAME:
        note = BY_NAME[name].check.left_out
        return "read" if note is None else f"{note.severity}: {note.reason}"
    note = next(other.check for other in OTHER if name in other.names)
    return f"{note.severity}: {note.reason}"


def _rooms() -> Iterator[tuple[str, str]]:
    for component in COMPONENTS:
        for action in (*component.actions, *(kind.action for kind in component.events)):
            yield str(action), component.name


ROOMS: Mapping[str, str] = dict(_rooms())
"""By what is done the component whose rules, or events, do it."""


def missing() -> tuple[str, ...]:
    """What the registries have and no duty names."""
    every = [duty for duties in DUTIES.values() for duty in duties]
    named = {name for duty in every for name in (*duty.steps, *duty.promises, *duty.cases)}
    return tuple(name for name in (*ROOMS, *STATEMENTS, *gallery()) if name not in named)


def gallery() -> tuple[str, ...]:
    """The cases of the gallery."""
    return tuple(yaml.safe_load(GALLERY.read_text("utf-8")))


def main() -> None:
    """Write the page."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    target.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
