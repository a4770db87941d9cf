"""The control plane's processes, as the lines of the driver tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from .format import Driver

MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
API_SERVER = "kube-apiserver"

_PROGRAMS: Mapping[str, str] = {
    "sa:deployment-controller": MANAGER,
    "sa:replicaset-controller": MANAGER,
    "sa:node-controller": MANAGER,
    "sa:disruption-controller": MANAGER,
    "system:kube-scheduler": SCHEDULER,
}


class Memory(Enum):
    """What becomes of what the controller manager keeps in memory."""

    KEPT = auto()
    IN_DOUBT = auto()
    """It is lost, but a request that was on its way may still arrive; or somebody takes over."""
    LOST = auto()


@dataclass(slots=True)
class Processes:
    """Which processes work, which were stopped, and where two of one program are at work.

    One of each is taken to work at first. With ``elects`` a second one waits until the first no
    longer renews its lease.
    """

    elects: bool = False
    _working: dict[str, set[str]] = field(
        default_factory=lambda: {name: {name} for name in (MANAGER, SCHEDULER)}
    )
    _resumed: dict[str, tuple[str, int]] = field(default_factory=dict)

    def take(self, line: Driver, revision: int) -> Memory:
        """Go on by one line, which stands after this revision."""
        process = line.process.partition(" ")[0]
        program = next((p for p in (MANAGER, SCHEDULER) if process.startswith(p)), "")
        if not program:
            return Memory.KEPT
        working = self._working[program]
        memory = Memory.KEPT
        if line.op == "sigcont":
            working.add(process)
            self._resumed[program] = (process, revision)
        elif line.op == "sigstop":
            working.discard(process)
            memory = Memory.IN_DOUBT if self.elects else Memory.KEPT
        elif line.op in ("kill", "exit"):
            alone = working <= {process}
            working.discard(process)
            memory = Memory.IN_DOUBT if alone or self.elects else Memory.KEPT
        elif line.op == "start":
            memory = Memory.KEPT if working else Memory.LOST
            working.add(process)
        return memory if program == MANAGER else Memory.KEPT

    @staticmethod
    def is_outage(line: Driver) -> bool:
        """Whether nobody can reach the API server from this line on."""
        return line.process.startswith(API_SERVER) and line.op in ("kill", "exit", "sigstop")

    def excuse(self, actor: str | None, read_at: int | None) -> str:
        """Why a write may be beyond the model that its actor should not have done; empty if not.

        ``read_at`` is the revision as of which it would have been possible.
        """
        program = _PROGRAMS.get(actor or "")
        if program is None:
            return ""
        process, since = self._resumed.get(program, ("", -1))
        working = self._working[program]
        if len(working) > 1 and (not self.elects or process in working):
            return f"while two of {program} were at work"
        if read_at is not None and read_at <= since:
            return f"after {program} had been stopped, of what it had read before"
        return ""
