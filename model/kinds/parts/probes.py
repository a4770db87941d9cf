"""Probes and hooks of containers.

Sources: ``validateProbe``, ``validateHandler``, ``validateLivenessProbe``,
``validateReadinessProbe``, ``validateStartupProbe`` and ``validateInitContainers`` in
``pkg/apis/core/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelemma.model.components.kubelet.decision.probes import Judge, judge_of, unasked
from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.pod import Container, PodSpec, Probe

_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_ATTRIBUTES = ("exec", "http_get", "tcp_socket", "grpc")
_FIELDS = {
    "initialDelaySeconds": "initial_delay_seconds",
    "timeoutSeconds": "timeout_seconds",
    "periodSeconds": "period_seconds",
    "successThreshold": "success_threshold",
    "failureThreshold": "failure_threshold",
}
_PROBES = {
    "livenessProbe": "liveness_probe",
    "readinessProbe": "readiness_probe",
    "startupProbe": "startup_probe",
}
_LARGEST_PORT = 65535
_NOT_OF_INIT = "may not be set for init containers without restartPolicy=Always"


def probes(container: Container, path: FieldPath, *, init: bool) -> Iterator[Finding]:
    """What is refused in the probes and hooks of a container."""
    if init and container.restart_policy != "Always":
        given = {name: getattr(container, field) for name, field in _PROBES.items()}
        for name, found in {"lifecycle": container.lifecycle, **given}.items():
            if found is not None:
                yield Finding((*path, name), _NOT_OF_INIT)
        return
    for name, field in _PROBES.items():
        probe: Probe | None = getattr(container, field)
        if probe is not None:
            yield from _probe(probe, name, (*path, name))


def _probe(probe: Probe, name: str, path: FieldPath) -> Iterator[Finding]:
    yield from _handlers(probe, path)
    for field, attribute in _FIELDS.items():
        value: int = getattr(probe, attribute)
        if value < 0:
            yield Finding((*path, field), f"{value} must be greater than or equal to 0")
    grace = probe.termination_grace_period_seconds
    if name == "readinessProbe":
        if grace is not None:
            message = "must not be set for readinessProbes"
            yield Finding((*path, "terminationGracePeriodSeconds"), message)
        return
    if grace is not None and grace <= 0:
        message = f"{grace} must be greater than 0"
        yield Finding((*path, "terminationGracePeriodSeconds"), message)
    if probe.success_threshold > 1:
        yield Finding((*path, "successThreshold"), f"{probe.success_threshold} must be 1")


def _handlers(probe: Probe, path: FieldPath) -> Iterator[Finding]:
    given = [
        (name, found)
        for name, attribute in zip(_HANDLERS, _ATTRIBUTES, strict=True)
        if (found := getattr(probe, attribute)) is not None
    ]
    if not given:
        yield Finding(path, f"must specify a handler type: one of {', '.join(_HANDLERS)}")
    for name, _ in given[1:]:
        yield Finding((*path, name), "may not specify more than 1 handler type")
    for name, found in given:
        yield from _port(found, name, (*path, name, "port"))


def _port(handler: Mapping[str, Any], name: str, path: FieldPath) -> Iterator[Finding]:
    port = handler.get("port")
    if name == "exec":
        return
    if port is None:
        yield Finding(path, "is required")
    elif isinstance(port, int) and not 1 <= port <= _LARGEST_PORT:
        yield Finding(path, f"{port} must be between 1 and {_LARGEST_PORT}, inclusive")


def probe_advice(spec: PodSpec, path: FieldPath) -> Iterator[Finding]:
    """Probes that are accepted, and can hardly be meant."""
    for field, containers in (
        ("initContainers", spec.init_containers),
        ("containers", spec.containers),
    ):
        for index, container in enumerate(containers or ()):
            yield from _unknown_ports(container, (*path, field, index))
            yield from _impatient(container, (*path, field, index))


_OF_UNASKED = {
    "readinessProbe": "so it is never Ready",
    "startupProbe": "so it never counts as started, and is never Ready",
    "livenessProbe": "so it restarts nothing",
}


def _unknown_ports(container: Container, path: FieldPath) -> Iterator[Finding]:
    for found in unasked(container, path):
        message = (
            f'no port of the container is called "{found.port}": the probe errs each time, neither '
            f"succeeds nor fails, {_OF_UNASKED[found.what]}"
        )
        yield Finding(found.path, message)


def _impatient(container: Container, path: FieldPath) -> Iterator[Finding]:
    """A liveness probe that gives up before the readiness probe is asked for the first time."""
    found, ready = judge_of(container), container.readiness_probe
    if found is None or ready is None:
        return
    what, probe = found
    _, certain = Judge(probe, what, ()).patience
    if what == "livenessProbe" and certain < ready.initial_delay_seconds:
        message = (
            f"kills the container after {certain} s of failures, and the readiness probe is first "
            f"asked after {ready.initial_delay_seconds} s: if the container takes that long to "
            "start, it is killed again and again (a startupProbe would wait for it)"
        )
        yield Finding((*path, what), message)
