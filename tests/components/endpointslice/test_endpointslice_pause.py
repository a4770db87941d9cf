"""For how long containers certainly wait before they stop."""

from __future__ import annotations

from typing import Any

import pytest

from kubelemma.model.components.endpointslice.pause import outlasts, pause_seconds
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.pod import PodSpec
from kubelemma.model.objects.service import Service

HTTP = decode({"spec": {"ports": [{"port": 80, "targetPort": "http"}]}}, Service)


def spec(*hooks: dict[str, Any] | None, grace: int | None = None) -> PodSpec:
    """A pod with a container for each hook, the first of which has the port."""
    containers = [
        {"name": f"c{number}", **({"lifecycle": {"preStop": hook}} if hook else {})}
        for number, hook in enumerate(hooks)
    ]
    containers[0]["ports"] = [{"name": "http", "containerPort": 8080}]
    raw: dict[str, Any] = {"containers": containers}
    if grace is not None:
        raw["terminationGracePeriodSeconds"] = grace
    return decode(raw, PodSpec)


def command(*words: str) -> dict[str, Any]:
    """A hook that runs a command."""
    return {"exec": {"command": list(words)}}


@pytest.mark.parametrize(
    ("hook", "seconds"),
    [
        (None, 0),
        ({"sleep": {"seconds": 15}}, 15),
        (command("sleep", "10"), 10),
        (command("/bin/sleep", "2m"), 30),
        (command("/bin/sh", "-c", "sleep 7 && nginx -s quit"), 7),
        (command("sh", "-c", "  exec sleep 7"), 7),
        (command("sh", "-c", "nginx -s quit; sleep 10"), 0),
        (command("sh", "-c", "sleeper 10"), 0),
        (command("sleep", "$DELAY"), 0),
        (command("/stop.sh"), 0),
        ({"httpGet": {"path": "/stop", "port": 80}}, 0),
        ("sleep", 0),
        ({"exec": {"command": "sleep 10"}}, 0),
    ],
)
def test_hooks(hook: Any, seconds: float) -> None:
    """A sleep that comes first counts, as far as the grace period goes; nothing else does."""
    assert pause_seconds(HTTP, spec(hook)) == seconds


SLEEP = {"preStop": {"sleep": {"seconds": 10}}}


@pytest.mark.parametrize(
    ("main", "sidecar", "seconds"),
    [(None, None, 0), (SLEEP, None, 10), (None, SLEEP, 10), (SLEEP, SLEEP, 10)],
)
def test_a_sidecar_stops_after_the_containers(main: Any, sidecar: Any, seconds: float) -> None:
    """Where it has the port, their pauses count beside its own."""
    port = {"name": "http", "containerPort": 8080}
    proxy = {"name": "proxy", "restartPolicy": "Always", "ports": [port], "lifecycle": sidecar}
    raw = {"containers": [{"name": "main", "lifecycle": main}], "initContainers": [proxy]}
    assert pause_seconds(HTTP, decode(raw, PodSpec)) == seconds


def test_the_grace_period_ends_it() -> None:
    """A hook that takes longer is broken off."""
    assert pause_seconds(HTTP, spec({"sleep": {"seconds": 60}}, grace=3)) == 3
    assert not outlasts(HTTP, spec({"sleep": {"seconds": 60}}, grace=3), 5)
    assert outlasts(HTTP, spec({"sleep": {"seconds": 5}}, grace=60), 5)


def test_the_container_with_the_port_counts() -> None:
    """What a container beside it does is no matter, unless nobody says who has the port."""
    assert pause_seconds(HTTP, spec({"sleep": {"seconds": 9}}, None)) == 9
    other = decode({"spec": {"ports": [{"port": 443}]}}, Service)
    assert pause_seconds(other, spec({"sleep": {"seconds": 9}}, None)) == 0
