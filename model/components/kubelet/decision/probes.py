"""Which containers are killed by a probe before they have started.

Sources: pkg/kubelet/prober/worker.go, ``doProbe``: a probe is first asked at a tick after
``initialDelaySeconds``, then at every ``periodSeconds``, and fails for good with the
``failureThreshold``-th failure in a row; while there is a startup probe that has not succeeded, no
other is asked. pkg/kubelet/kuberuntime/kuberuntime_manager.go, ``computePodActions``: what fails so
is killed, and started again as the restart policy says.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from kubelemma.model.findings import FieldPath
from kubelemma.model.objects.pod import Container, Pod, Probe

_PERIOD_SECONDS = 10
_FAILURE_THRESHOLD = 3
"""Defaults (``SetDefaults_Probe`` in pkg/apis/core/v1/defaults.go)."""


class StartTime(NamedTuple):
    """How many seconds containers take from their start until probes find them working."""

    seconds: int


class Outlook(IntEnum):
    """What a probe makes of a container that takes so long to start."""

    STARTS = 0
    MAY_START = 1
    """It depends on when the first tick of the probe comes."""
    IS_KILLED = 2


class Judge(NamedTuple):
    """A probe that may kill a container while it starts, and where a pod's spec has it."""

    probe: Probe
    what: str
    path: FieldPath

    @property
    def patience(self) -> tuple[int, int]:
        """After how many seconds of failures it has killed: at the earliest, and for certain."""
        period = self.probe.period_seconds or _PERIOD_SECONDS
        threshold = self.probe.failure_threshold or _FAILURE_THRESHOLD
        first = self.probe.initial_delay_seconds
        return first + (threshold - 1) * period, first + threshold * period

    def outlook(self, seconds: int) -> Outlook:
        """Of a container that takes so many seconds."""
        earliest, certain = self.patience
        if seconds <= earliest:
            return Outlook.STARTS
        return Outlook.IS_KILLED if seconds > certain else Outlook.MAY_START


def judges(pod: Pod) -> Iterator[Judge]:
    """The probe of each container that decides whether it is left to start: sidecars among them."""
    for field, containers in (
        ("initContainers", pod.spec.init_containers),
        ("containers", pod.spec.containers),
    ):
        for index, container in enumerate(containers or ()):
            found = judge_of(container)
            if found is not None:
                what, probe = found
                yield Judge(probe, what, (field, index, what))


def judge_of(container: Container) -> tuple[str, Probe] | None:
    """The startup probe, or else the liveness probe."""
    if container.startup_probe is not None:
        return "startupProbe", container.startup_probe
    if container.liveness_probe is not None:
        return "livenessProbe", container.liveness_probe
    return None


def strictest(pod: Pod, seconds: int) -> tuple[Outlook, Judge | None]:
    """What becomes of a pod whose containers take so long, and the probe that says so."""
    found = sorted(
        ((judge.outlook(seconds), judge) for judge in judges(pod)), key=lambda each: -each[0]
    )
    return found[0] if found else (Outlook.STARTS, None)
