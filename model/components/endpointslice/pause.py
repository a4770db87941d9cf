"""For how long a pod certainly goes on serving once it is deleted.

The kubelet runs the preStop hook of each container first, for as long as the grace period allows,
and only then asks the container to stop: from there on it is taken to accept no connection.

Sources: pkg/kubelet/kuberuntime/kuberuntime_container.go, ``killContainer``, and
kuberuntime_termination_order.go beside it: sidecars wait for the containers, after their own hook.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubelemma.model.components.apiserver.decision import DEFAULT_GRACE_SECONDS
from kubelemma.model.components.kubelet.decision import is_sidecar
from kubelemma.model.objects.pod import Container, PodSpec
from kubelemma.model.objects.service import Service

from .decision import target_of

_SLEEP = re.compile(r"\s*(?:exec\s+)?(?:/\S*/)?sleep\s+(\d+(?:\.\d+)?)([smh]?)(?![\w.])")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_SHELLS = ("sh", "bash", "ash", "dash")


def outlasts(service: Service, spec: PodSpec, lag_seconds: int) -> bool:
    """Whether a pod of a Service still serves so many seconds after it was deleted."""
    return pause_seconds(service, spec) >= lag_seconds


def pause_seconds(service: Service, spec: PodSpec) -> float:
    """How long all containers that have the ports of a Service wait before they stop.

    A sidecar is asked to stop only once the containers have, whose hooks it so waits for, too.
    """
    grace = spec.termination_grace_period_seconds
    most = DEFAULT_GRACE_SECONDS if grace is None else grace
    others = max((hook_seconds(c) for c in spec.containers or ()), default=0)
    waits = (max(hook_seconds(c), others if is_sidecar(c) else 0) for c in serving(service, spec))
    return min((min(seconds, most) for seconds in waits), default=0)


def serving(service: Service, spec: PodSpec) -> tuple[Container, ...]:
    """The containers and sidecars that have the ports of a Service.

    Where none lists one they are all containers.
    """
    numbers = {target_of(port, spec) for port in service.spec.ports or ()}
    own = tuple(spec.containers or ())
    sidecars = (c for c in spec.init_containers or () if is_sidecar(c))
    there = (*own, *sidecars)
    listing = (c for c in there if any(p.container_port in numbers for p in c.ports or ()))
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
