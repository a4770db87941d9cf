"""Hooks after the start of a container, and before its end.

Sources: ``validateLifecycle``, ``validateHandler`` and ``validateSleepAction`` in
``pkg/apis/core/validation/validation.go``; for what becomes of a hook that takes too long,
``killContainer`` in ``pkg/kubelet/kuberuntime/kuberuntime_container.go``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelemma.model.components.apiserver.decision import DEFAULT_GRACE_SECONDS
from kubelemma.model.components.endpointslice.pause import hook_seconds
from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.pod import Container, PodSpec

_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")
_HOOKS = ("postStart", "preStop")
MINIMUM_SECONDS = 2
"""What a container is given after its hook has taken all of its grace period
(``minimumGracePeriodInSeconds``)."""


def grace_of(spec: PodSpec) -> int:
    """How many seconds a pod has for its end."""
    grace = spec.termination_grace_period_seconds
    return DEFAULT_GRACE_SECONDS if grace is None else grace


def hooks(container: Container, grace: int, path: FieldPath) -> Iterator[Finding]:
    """What is refused in the hooks of a container."""
    for name in _HOOKS:
        hook = (container.lifecycle or {}).get(name)
        if hook is not None:
            here: FieldPath = (*path, "lifecycle", name)
            yield from _handlers(hook if isinstance(hook, Mapping) else {}, grace, here)


def _handlers(hook: Mapping[str, Any], grace: int, path: FieldPath) -> Iterator[Finding]:
    given = [name for name in _HANDLERS if hook.get(name) is not None]
    if not given:
        yield Finding(path, f"must specify a handler type: one of {', '.join(_HANDLERS)}")
    for name in given[1:]:
        yield Finding((*path, name), "may not specify more than 1 handler type")
    sleep = hook.get("sleep")
    seconds = sleep.get("seconds", 0) if isinstance(sleep, Mapping) else 0
    if isinstance(seconds, int) and not 0 <= seconds <= grace:
        message = (
            f"{seconds} must be non-negative and less than terminationGracePeriodSeconds ({grace})"
        )
        yield Finding((*path, "sleep", "seconds"), message)


def hook_advice(spec: PodSpec, path: FieldPath) -> Iterator[Finding]:
    """Hooks that are accepted, and broken off."""
    grace = grace_of(spec)
    for field, containers in (
        ("initContainers", spec.init_containers),
        ("containers", spec.containers),
    ):
        for index, container in enumerate(containers or ()):
            seconds = hook_seconds(container)
            if seconds > grace:
                message = (
                    f"waits for {seconds:g} s, and terminationGracePeriodSeconds is {grace}: it is "
                    f"broken off, and the container killed {MINIMUM_SECONDS} s after it is asked "
                    "to stop"
                )
                yield Finding((*path, field, index, "lifecycle", "preStop"), message)
