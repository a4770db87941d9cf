"""Nodes that are deleted or shut down, and whoever is wrong about their pods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mutating import TWO, Mutant, Small

from kubelemma import api
from kubelemma.model.cluster.machines import Machine
from kubelemma.model.cluster.state import Ailment, Pods
from kubelemma.model.components.cloudnodelifecycle import rules as gone
from kubelemma.model.components.kubelet import shutdown
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import Outcome


def finds_none(*, node_exists: bool) -> bool:
    """The pod garbage collector takes no pod for an orphan."""
    del node_exists
    return False


def takes_all(machine: int, up: bool, cut_off: bool, pods: Pods) -> Iterator[Outcome]:  # noqa: FBT001
    """It does not ask the API server whether the Node is really gone, and its cache is empty."""
    del machine
    yield from _COLLECT(Machine.DELETED, up, cut_off, pods)


def waits_for_nobody(_event: Any, _pods: Pods, *, cordoned: bool) -> bool:
    """Who was to wait for a drain does not."""
    del cordoned
    return True


def ends_all_at_once(priorities: Sequence[int]) -> tuple[int, ...]:
    """The kubelet knows one group of pods."""
    return tuple(range(len(priorities)))


def goes_off_at_once(
    ails: Ailment,
    _ready: bool,  # noqa: FBT001
    _pods: Pods,
    volumes: Any,
    *seen: Any,
) -> Iterator[Outcome]:
    """Systemd waits for nobody."""
    yield from _POWER_OFF(ails, False, (), volumes, *seen)


_COLLECT, _POWER_OFF = gone.collect, shutdown._power_off

TOGETHER = """
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      tolerations: [{operator: Exists}]
      containers: [{name: web, image: "web:1"}]
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: dns, namespace: kube-system}
spec:
  replicas: 1
  selector: {matchLabels: {app: dns}}
  template:
    metadata: {labels: {app: dns}}
    spec:
      priorityClassName: system-cluster-critical
      tolerations: [{operator: Exists}]
      containers: [{name: dns, image: "dns:1"}]
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: two}
spec:
  cluster: {nodes: [{count: 1, allocatable: {cpu: "1", memory: 1Gi, pods: "9"}}]}
  together: [web, dns]
  events: [{nodeShutdown: {}}]
"""


@dataclass(frozen=True, slots=True)
class Written:
    """A scenario as it is written; its system is made of the functions of this moment."""

    text: str

    def built(self) -> Scenario:
        """The first of its cases."""
        case, *_ = api.ask(api.Question(paths=("-",), stdin=self.text)).cases
        return case.scenario


SHORT = TOGETHER.replace("nodeShutdown", "memoryPressure")


def takes_any(pods: Sequence[Any]) -> tuple[int, ...]:
    """The kubelet does not rank pods."""
    return tuple(range(len(pods)))


GONE_PY = "components.cloudnodelifecycle.rules"
SHUTDOWN_PY = "components.kubelet.shutdown"

DELETING = Small(TWO, ({"deleteNode": {}},))
CORDONING = Small(TWO, ({"cordon": {}}, {"deleteNode": {"drained": True}}))
"""Its pods stay where they are, so that nobody deletes the Node."""
SHUTTING = Written(TOGETHER)

LOSING_MUTANTS = (
    Mutant("GC-1", "finds none", GONE_PY, "is_orphan", finds_none, DELETING),
    Mutant("GC-2", "takes all", GONE_PY, "collect", takes_all, DELETING),
    Mutant(
        "NODE-5",
        "waits for nobody",
        "components.nodelifecycle.registration",
        "may_begin",
        waits_for_nobody,
        CORDONING,
    ),
    Mutant(
        "MEM-1",
        "ranks nobody",
        "components.kubelet.pressure",
        "next_to_evict",
        takes_any,
        Written(SHORT),
    ),
    Mutant("SHUT-1", "ends all at once", SHUTDOWN_PY, "next_to_end", ends_all_at_once, SHUTTING),
    Mutant("SHUT-2", "off at once", SHUTDOWN_PY, "_power_off", goes_off_at_once, SHUTTING),
)
