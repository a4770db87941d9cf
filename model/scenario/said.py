"""What a Check says of what containers find, which is part of the world beside objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from kubelemma.model.components.attachdetach.decision import Forced
from kubelemma.model.components.kubelet.decision import Absent, InitWait, StartTime, Unreliable
from kubelemma.model.components.servicelb.decision import Cloud, Targets
from kubelemma.model.manifests.check import CheckSpec
from kubelemma.model.manifests.named import source_of


def absent(spec: CheckSpec) -> Iterator[Absent]:
    """What is not there."""
    return (Absent(source_of(text)) for text in spec.missing)


Said: TypeAlias = Absent | StartTime | InitWait | Unreliable | Cloud | Forced
"""What is said of the world beside objects."""


def said(spec: CheckSpec) -> Iterator[Said]:
    """That, how long containers start and what for, the registry, the cloud, and options."""
    yield from absent(spec)
    if spec.start_seconds is not None:
        yield StartTime(spec.start_seconds)
    for waiting in spec.init_waits:
        *namespace, name = waiting.service.split("/")
        yield InitWait(waiting.container, namespace[0] if namespace else "", name)
    if any(entry.registry_outage for entry in spec.events or ()):
        yield Unreliable()
    if spec.cloud is not None:
        yield Cloud(spec.cloud.health_check_seconds, Targets(spec.cloud.targets))
    if spec.controller_manager.disable_force_detach_on_timeout:
        yield Forced(on_timeout=False)
