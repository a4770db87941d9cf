"""The control plane's processes, as the lines of the driver tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .format import Driver

MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"


@dataclass(slots=True)
class Processes:
    """Which processes were stopped and resumed, and where two of a kind are at work.

    ``_resumed`` has, by process, the revision of the store when one of it went on.
    """

    _resumed: dict[str, int] = field(default_factory=dict)
    _started: dict[str, int] = field(default_factory=dict)

    def take(self, line: Driver, revision: int) -> None:
        """Go on by one line."""
        name = _program(line.process)
        if line.op == "sigcont":
            self._resumed[name] = revision
        elif line.op == "start":
            self._started[name] = self._started.get(name, 1) + 1
        elif line.op in ("kill", "exit"):
            self._started[name] = self._started.get(name, 1) - 1

    def forgets(self, line: Driver) -> bool:
        """Whether what the controller manager kept in memory is lost with a line."""
        return _program(line.process) == MANAGER and line.op in ("kill", "exit", "start")

    def excuse(self, actor: str | None, read_at: int | None) -> str:
        """Why a write may be beyond the model that its actor should not have done; empty if not."""
        name = _PROGRAMS.get(actor or "", "")
        if self._started.get(name, 1) > 1:
            return f"while two of {name} were at work"
        resumed = self._resumed.get(name)
        if resumed is not None and read_at is not None and read_at <= resumed:
            return f"after {name} had been stopped, of what it had read before"
        return ""


_PROGRAMS: Mapping[str, str] = {
    "sa:deployment-controller": MANAGER,
    "sa:replicaset-controller": MANAGER,
    "sa:node-controller": MANAGER,
    "system:kube-scheduler": SCHEDULER,
}


def _program(process: str) -> str:
    """The name of the program that a process runs."""
    return next((name for name in (MANAGER, SCHEDULER) if process.startswith(name)), process)
