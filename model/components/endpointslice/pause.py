"""For how long a pod certainly goes on serving once it is deleted.

The kubelet runs the preStop hook of each container first, for as long as the grace period allows,
and only then asks the container to stop: from there on it is taken to accept no connection.

Source: pkg/kubelet/kuberuntime/kuberuntime_container.go, ``killContainer``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubelemma.model.components.apiserver.decision import DEFAULT_GRACE_SECONDS
from kubelemma.model.objects.pod import Container, PodSpec
from kubelemma.model.objects.service import Service

from .decision import target_of

LAG_SECONDS = 5
"""Within how long the slice is written and every kube-proxy has heard of it: an assumption."""

_SLEEP = re.compile(r"\s*(?:exec\s+)?(?:/\S*/)?sleep\s+(\d+(?:\.\d+)?)([smh]?)(?![\w.])")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_SHELLS = ("sh", "bash", "ash", "dash")


def outlasts(service: Service, spec: PodSpec, more: int = 0) -> bool:
    """Whether a pod of a Service still serves when every kube-proxy has heard of its deletion.

    ``more``: and for so many seconds after that.
    """
    return pause_seconds(service, spec) >= LAG_SECONDS + more


def pause_seconds(service: Service, spec: PodSpec) -> float:
    """How long all containers that have the ports of a Service wait before they stop."""
    grace = spec.termination_grace_period_seconds
    most = DEFAULT_GRACE_SECONDS if grace is None else grace
    return min((min(hook_seconds(c), most) for c in serving(service, spec)), default=0)


def serving(service: Service, spec: PodSpec) -> tuple[Container, ...]:
    """The containers that have the ports of a Service; all of them where none lists one."""
    numbers = {target_of(port, spec) for port in service.spec.ports or ()}
    own = tuple(spec.containers or ())
    listing = (c for c in own if any(p.container_port in numbers for p in c.ports or ()))
    return tuple(listing) or own


def hook_seconds(container: Container) -> float:
    """How long its preStop hook waits for certain; 0 where there is none, or nobody can tell."""
    hook = (container.lifecycle or {}).get("preStop")
    if not isinstance(hook, Mapping):
        return 0
    return max(_waits(hook), default=0)


def _waits(hook: Mapping[str, Any]) -> Iterator[float]:
    seconds = _inside(hook, "sleep").get("seconds")
    if isinstance(seconds, int):
        yield seconds
    command = _inside(hook, "exec").get("command")
    if isinstance(command, list | tuple) and all(isinstance(word, str) for word in command):
        found = _SLEEP.match(_script([*command]))
        if found:
            yield float(found[1]) * _UNITS[found[2]]


def _inside(hook: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = hook.get(name)
    return found if isinstance(found, Mapping) else {}


def _script(command: list[str]) -> str:
    """What a shell is given, or the words of the command itself."""
    if command and command[0].rpartition("/")[2] in _SHELLS and "-c" in command[1:-1]:
        return command[command.index("-c") + 1]
    return " ".join(command)
