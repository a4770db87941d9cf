"""Events of a Check that befall nodes, and what people do to them."""

from __future__ import annotations

from kubelemma.model.components.drain.decision import Options
from kubelemma.model.objects.meta import ApiStruct

ONCE_DRAINED = "once drained"
"""When something may happen to a node; it is also how that is told."""


class OfNode(ApiStruct, frozen=True, kw_only=True):
    """What happens to a node: the named one, or any."""

    node: str = ""
    max: int = 1


class Cordon(OfNode, frozen=True, kw_only=True):
    """Somebody cordons a node: the named one, or any."""


class Uncordon(OfNode, frozen=True, kw_only=True):
    """Somebody uncordons a node: the named one, or any."""


class Drain(OfNode, frozen=True, kw_only=True):
    """Somebody drains a node: the named one, or any. The other fields are kubectl's options.

    Attributes:
        timeout_seconds: after how many seconds it gives up; 0 is never.
        skip_wait_for_delete_timeout_seconds: how long it waits for a pod that terminates; 0 is as
            long as it takes.
    """

    disable_eviction: bool = False
    force: bool = False
    ignore_daemon_sets: bool = True
    delete_empty_dir_data: bool = True
    timeout_seconds: int = 0
    skip_wait_for_delete_timeout_seconds: int = 0

    @property
    def options(self) -> Options:
        """The options of the command."""
        return Options(
            force=self.force,
            ignore_daemonsets=self.ignore_daemon_sets,
            delete_emptydir_data=self.delete_empty_dir_data,
            disable_eviction=self.disable_eviction,
            timeout=self.timeout_seconds,
            skip_wait_for_delete_timeout=self.skip_wait_for_delete_timeout_seconds,
        )


class NodeCrash(OfNode, frozen=True, kw_only=True):
    """A node dies with all its pods: the named one, or any."""


class NodePartition(OfNode, frozen=True, kw_only=True):
    """A node is cut off from all others, and what runs there runs on: the named one, or any."""


class RuntimeOutage(OfNode, frozen=True, kw_only=True):
    """The container runtime of a node does not answer: the named one's, or any's."""


class RuntimeReturn(OfNode, frozen=True, kw_only=True):
    """The container runtime of a node answers again: the named one's, or any's."""


class OnceDrained(OfNode, frozen=True, kw_only=True):
    """What somebody may do to a node once it is drained.

    Attributes:
        drained: only once it is cordoned, and none of its pods is left on it.
    """

    drained: bool = False

    @property
    def options(self) -> str | None:
        """When it may happen; None: at any time."""
        return ONCE_DRAINED if self.drained else None


class NodeShutdown(OnceDrained, frozen=True, kw_only=True):
    """A machine is shut down while its kubelet heeds that: the named one, or any."""


class DeleteNode(OnceDrained, frozen=True, kw_only=True):
    """Somebody deletes a Node, whose machine is there: the named one, or any."""


class RegisterNode(OfNode, frozen=True, kw_only=True):
    """A kubelet restarts and registers its Node, which was deleted: the named one's, or any's."""


class MemoryPressure(OfNode, frozen=True, kw_only=True):
    """A node is short of memory, so that its kubelet may evict a pod: the named one, or any."""


class OutOfService(OfNode, frozen=True, kw_only=True):
    """Somebody switches off a machine whose node is not Ready, and taints it: in the end."""


class MachineMissing(OfNode, frozen=True, kw_only=True):
    """The cloud says that the machine of a node that is down does not exist: in the end."""


class MachineStopped(OfNode, frozen=True, kw_only=True):
    """The cloud says that the machine of a node that is down is switched off: in the end."""


class MachineUnknown(OfNode, frozen=True, kw_only=True):
    """The cloud does not find the machine of a new node: the named one's, or any's."""


class RefuseRoutes(ApiStruct, frozen=True, kw_only=True):
    """The cloud makes no more routes to the pods of nodes."""

    max: int = 1


class InService(OfNode, frozen=True, kw_only=True):
    """Somebody takes that taint away from a node that is back: the named one, or any."""


class NodeReturn(OfNode, frozen=True, kw_only=True):
    """A dead node comes back: the named one, or any."""
