"""Kubelets that start containers at the wrong time."""

from __future__ import annotations

from typing import Any

from kubelemma.model.components.kubelet.decision import Outlook, judges
from kubelemma.model.objects.pod import Pod


def needs_nothing(_there: tuple[bool, ...]) -> bool:
    """Containers are started whatever is there."""
    return True


def sees_nothing(_there: tuple[bool, ...]) -> bool:
    """Nobody notices that what was missing is there."""
    return False


def never_in_time(given: Pod, _seconds: int) -> Any:
    """A container that may start is killed before it has."""
    return Outlook.IS_KILLED, next(judges(given))
