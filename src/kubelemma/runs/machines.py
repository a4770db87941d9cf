"""The machines of a run and what was done to them and their pods, as its lines tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .format import Kubelet, Write

PODS = ("set-ready", "crash-pod")


@dataclass(slots=True)
class Machines:
    """Which machines have stopped, since when; and of which pods the containers were told what.

    A kubelet whose machine has just stopped may still have a request on its way.
    """

    _stopped: dict[str, float] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)
    _rooms: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def rooms(self) -> Mapping[str, Mapping[str, str]]:
        """What kubelets believe to be allocatable, by node, where that is not what the API shows."""
        return self._rooms

    @property
    def down(self) -> frozenset[str]:
        """The names of the nodes whose machines have stopped."""
        return frozenset(self._stopped)

    def take(self, line: Kubelet) -> bool:
        """Go on by one line; gives whether a machine has stopped or works again."""
        if line.op == "node-down":
            self._stopped.setdefault(line.node, line.t0)
        elif line.op == "node-up":
            self._stopped.pop(line.node, None)
        elif line.op in PODS:
            self._told.add(line.pod)
        elif line.op == "register-node" and line.spec is not None:
            self._rooms[line.node] = line.spec.kubelet_alloc
        return line.op in ("node-down", "node-up")

    def is_told(self, line: Write) -> bool:
        """Whether the run says that something was done to the containers of the pod written."""
        return line.kind == "Pod" and line.name in self._told

    def sent_before(self, line: Write) -> bool:
        """Whether a kubelet had sent its request before its machine stopped."""
        node = line.name if line.kind == "Node" else line.object.get("spec", {}).get("nodeName", "")
        return node in self._stopped and line.requested < self._stopped[node]
