"""Which containers are killed by a probe before they have started.

Sources: pkg/kubelet/prober/worker.go, ``doProbe``: a probe is first asked at a tick after
``initialDelaySeconds``, then at every ``periodSeconds``, and fails for good with the
``failureThreshold``-th failure in a row; while there is a startup probe that has not succeeded, no
other is asked. pkg/kubelet/kuberuntime/kuberuntime_manager.go, ``computePodActions``: what fails so
is killed, and started again as the restart policy says. pkg/probe/util.go,
``ResolveContainerPort``: a port by a name that the container does not have is an error, and the
result of a probe that errs is thrown away: so it neither succeeds nor fails, ever.
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


class Unasked(NamedTuple):
    """A probe that asks for a port by a name that no port of its container has.

    ``what`` is the field of the probe, ``path`` that of the port in a pod's specification.
    """

    what: str
    port: str
    path: FieldPath

    @property
    def reason(self) -> str:
        """Why it never succeeds."""
        return f'its {self.what} asks for port "{self.port}", which its container does not have'


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


_FIELDS = {
    "startupProbe": "startup_probe",
    "readinessProbe": "readiness_probe",
    "livenessProbe": "liveness_probe",
}


def unasked(container: Container, path: FieldPath) -> Iterator[Unasked]:
    """The probes of a container that ask for a port that it does not have."""
    known = {port.name for port in container.ports or () if port.name}
    for what, field in _FIELDS.items():
        probe: Probe | None = getattr(container, field)
        if probe is None:
            continue
        for handler, given in (("httpGet", probe.http_get), ("tcpSocket", probe.tcp_socket)):
            port = (given or {}).get("port")
            if isinstance(port, str) and not port.isdigit() and port not in known:
                yield Unasked(what, port, (*path, what, handler, "port"))


def never_ready(pod: Pod) -> Unasked | None:
    """The first probe that keeps a pod from ever being Ready, as it never succeeds.

    A liveness probe that does not fail is none; a sidecar has to be Ready, too, and to have
    started before the containers do.
    """
    for field, containers in (
        ("initContainers", pod.spec.init_containers),
        ("containers", pod.spec.containers),
    ):
        for index, container in enumerate(containers or ()):
            for found in unasked(container, (field, index)):
                if found.what != "livenessProbe":
                    return found
    return None


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
    """The startup probe, or else the liveness probe; none where that never fails."""
    never = {found.what for found in unasked(container, ())}
    for what, probe in (
        ("startupProbe", container.startup_probe),
        ("livenessProbe", container.liveness_probe),
    ):
        if probe is not None:
            return None if what in never else (what, probe)
    return None


def strictest(pod: Pod, seconds: int) -> tuple[Outlook, Judge | None]:
    """What becomes of a pod whose containers take so long, and the probe that says so."""
    found = sorted(
        ((judge.outlook(seconds), judge) for judge in judges(pod)), key=lambda each: -each[0]
    )
    return found[0] if found else (Outlook.STARTS, None)
