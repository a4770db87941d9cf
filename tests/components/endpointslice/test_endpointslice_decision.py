"""What slices say of pods, against the answers of the real code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kubelemma.model.components.endpointslice.decision import (
    conditions,
    endpoint_ports,
    is_endpoint,
    selects,
)
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.service import Service

Case = dict[str, Any]
FILE = "endpointslice"


ASKED = ("included", "ready", "serving", "terminating", "ports")
"""What is compared: not the address, zone and host name, by which the model tells no endpoint."""


def answer(case: Case, raw: dict[str, Any]) -> dict[str, Any]:
    """What the model's controller makes of a pod, as it was recorded of the real one."""
    service, pod = decode(case["input"]["service"], Service), decode(raw, Pod)
    assert selects(service, pod)
    addresses = [found["ip"] for found in raw["status"].get("podIPs", ())]
    own = any(":" not in address for address in addresses)
    if not is_endpoint(pod.status.phase, has_address=own):
        return {"included": False}
    found = conditions(
        ready=any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions or ()),
        terminating=pod.metadata.deletion_timestamp is not None,
        publish_not_ready=service.spec.publish_not_ready_addresses,
    )
    ports = [f"{p.name}:{p.number}/{p.protocol}" for p in endpoint_ports(service, pod.spec)]
    return {"included": True, **found._asdict(), "ports": ports}


def test_it_agrees_with_the_real_controller(
    oracle: Callable[[str], list[Case]], tally: Any
) -> None:
    """Who is an endpoint, its conditions and ports are as recorded."""
    for case in oracle("endpointslice"):
        for raw in case["input"]["pods"]:
            name = raw["metadata"]["name"]
            recorded = case["expect"]["endpoints"][name]
            expected = {key: recorded[key] for key in ASKED if key in recorded}
            found = answer(case, raw)
            if found == expected:
                tally.passed(FILE)
            else:
                tally.failed(FILE, f"{case['id']} {name}", f"{found} instead of {expected}")
    tally.verify(FILE)


@pytest.mark.parametrize(
    ("ready", "terminating", "published", "shown"),
    [
        (True, False, False, (True, True, False)),
        (True, True, False, (False, True, True)),
        (False, False, False, (False, False, False)),
        (False, True, True, (True, False, True)),
    ],
)
def test_conditions(
    ready: bool,  # noqa: FBT001 - a column of the table
    terminating: bool,  # noqa: FBT001
    published: bool,  # noqa: FBT001
    shown: tuple[bool, ...],
) -> None:
    """A pod that terminates serves and is not ready, but where addresses are published anyway."""
    found = conditions(ready=ready, terminating=terminating, publish_not_ready=published)
    assert found == shown


def test_a_service_without_a_selector_is_about_no_pod() -> None:
    """Its slices are somebody else's."""
    pod = decode({"metadata": {"namespace": "default", "labels": {"app": "web"}}}, Pod)
    service = {"metadata": {"namespace": "default"}, "spec": {"selector": {}}}
    assert not selects(decode(service, Service), pod)
