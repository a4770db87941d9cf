"""What has to be over before the containers of a pod are started: its init containers.

Sources: ``computeInitContainerActions`` in pkg/kubelet/kuberuntime/kuberuntime_container.go: they
run one after the other, each once the one before has ended well, or, of a sidecar, has started. One
that fails is run again, after a back-off, unless the pod is never restarted. They all run again
once the sandbox is a new one, as after a boot, and then the pod is Pending again (``getPhase`` in
pkg/kubelet/kubelet_pods.go), but not when a container alone is restarted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from kubelemma.model.findings import FieldPath
from kubelemma.model.objects.pod import Container, PodSpec


class InitWait(NamedTuple):
    """That init containers of a name run until a pod answers for a Service.

    ``namespace`` is empty for that of the pod.
    """

    container: str
    namespace: str
    service: str


class Step(NamedTuple):
    """An init container, and where a pod's specification has it."""

    name: str
    sidecar: bool
    path: FieldPath


def is_sidecar(container: Container) -> bool:
    """Whether an init container goes on running beside the containers that come after it."""
    return container.restart_policy == "Always"


def steps(spec: PodSpec) -> Iterator[Step]:
    """What comes before the containers of a pod, in order."""
    for index, container in enumerate(spec.init_containers or ()):
        yield Step(container.name, is_sidecar(container), ("initContainers", index))


def must_end(spec: PodSpec) -> tuple[Step, ...]:
    """The init containers that have to end before the containers are started."""
    return tuple(step for step in steps(spec) if not step.sidecar)


def may_fail_after_start(spec: PodSpec) -> FieldPath | None:
    """The first hook that runs after the start of a container, which its failure kills.

    Source: ``startContainer`` in pkg/kubelet/kuberuntime/kuberuntime_container.go.
    """
    for field, containers in (
        ("initContainers", spec.init_containers),
        ("containers", spec.containers),
    ):
        for index, container in enumerate(containers or ()):
            lifecycle: Any = container.lifecycle or {}
            if lifecycle.get("postStart") is not None:
                return field, index, "lifecycle", "postStart"
    return None
