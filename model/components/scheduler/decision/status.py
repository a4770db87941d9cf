"""What a plugin answers.

Source: staging/src/k8s.io/kube-scheduler/framework/interface.go.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Code(Enum):
    """The verdict of a plugin; the values are the names that the scheduler prints."""

    SUCCESS = "Success"
    UNSCHEDULABLE = "Unschedulable"
    """Rejected, but removing pods from the node may help: preemption looks at such nodes."""
    UNRESOLVABLE = "UnschedulableAndUnresolvable"
    """Rejected whatever is removed from the node."""
    SKIP = "Skip"
    """The plugin has nothing to say about this pod: its filter or score is not run at all."""


class Status(NamedTuple):
    """A code, and the reasons for a rejection in the scheduler's own words."""

    code: Code
    reasons: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the plugin let the pod pass."""
        return self.code is Code.SUCCESS

    @property
    def rejects(self) -> bool:
        """Whether the plugin rejected the pod."""
        return self.code in (Code.UNSCHEDULABLE, Code.UNRESOLVABLE)


SUCCESS = Status(Code.SUCCESS)
SKIP = Status(Code.SKIP)


def unschedulable(*reasons: str) -> Status:
    """A rejection that preemption may resolve."""
    return Status(Code.UNSCHEDULABLE, reasons)


def unresolvable(*reasons: str) -> Status:
    """A rejection that preemption cannot resolve."""
    return Status(Code.UNRESOLVABLE, reasons)
