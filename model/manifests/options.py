"""What a Check says of faults, of how components are run, and of where a search gives up."""

from __future__ import annotations

from kubelemma.model.objects.meta import ApiStruct
from kubelemma.model.objects.quantity import Quantity


class Faults(ApiStruct, frozen=True, kw_only=True):
    """How much may go wrong inside the control plane.

    Attributes:
        stale_reads: by how many events the caches of loaded controllers may lag.
        stale_lists: by how many events the lists may lag from which they are filled when a
            controller restarts; None is as many as ``stale_reads``.
        controller_restarts: how often the controller manager, and each loaded controller, may
            restart; None is never for the controller manager, and once for loaded ones.
        api_server_outages: how often the API server may be away for so long that the node
            lifecycle controller afterwards misses heartbeats.
        lost_requests: how often the API server may lose a request between two of its writes: an
            eviction that a budget has paid for, before the pod is deleted.
    """

    stale_reads: int = 0
    stale_lists: int | None = None
    controller_restarts: int | None = None
    api_server_outages: int = 0
    lost_requests: int = 0


class SchedulerOptions(ApiStruct, frozen=True, kw_only=True):
    """``scoring``: whether only nodes of the best score are chosen, or any that fits.

    None leaves it to the checker.
    """

    scoring: bool | None = None


class ControllerManagerOptions(ApiStruct, frozen=True, kw_only=True):
    """How the controller manager is run.

    ``disable_force_detach_on_timeout``: its flag of that name.
    """

    disable_force_detach_on_timeout: bool = False


class Bounds(ApiStruct, frozen=True, kw_only=True):
    """Where the search gives up with INCONCLUSIVE; None is no bound of the scenario's own.

    ``max_objects`` is about each kind that loaded code keeps objects of.
    """

    max_states: int | None = None
    time_limit_seconds: float | None = None
    max_memory: Quantity | None = None
    max_pods: int | None = None
    max_objects: int | None = None
