# ruff: noqa: FBT001 - the values of columns are flags
"""What keeps a kubelet from working while it still reports its node: then Ready is False.

Source: pkg/kubelet/kubelet.go, ``syncLoop``, which skips all pods while ``runtimeErrors`` has any;
pkg/kubelet/nodestatus/setters.go, ``ReadyCondition``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelemma.model.cluster.columns import AILS, CUT_OFF, UP
from kubelemma.model.cluster.events import on_node
from kubelemma.model.cluster.setting import Event
from kubelemma.model.cluster.state import Ailment
from kubelemma.model.cluster.world import World
from kubelemma.model.components.kubelet.actions import RUNTIME_OUTAGE, RUNTIME_RETURN


def _fails(_world: World, _event: Event, up: bool, *_seen: Any) -> Iterator[tuple[Any, str, int]]:
    """Containers run on, as those of a node that is cut off; nobody starts or ends any."""
    if up:
        why = "its kubelet starts and ends no container; what runs there runs on"
        yield {UP: False, CUT_OFF: True, AILS: Ailment.NOT_READY}, why, -1


def _answers(
    _world: World, _event: Event, _up: bool, _cut_off: bool, ails: Ailment
) -> Iterator[tuple[Any, str, int]]:
    if ails & Ailment.NOT_READY:
        why = "its kubelet works on its pods again"
        yield {UP: True, CUT_OFF: False, AILS: Ailment.NONE}, why, -1


_COLUMNS = (UP, CUT_OFF, AILS)

EVENTS = (
    on_node(RUNTIME_OUTAGE, _fails, _COLUMNS, fault=True, undone_by=RUNTIME_RETURN),
    on_node(RUNTIME_RETURN, _answers, _COLUMNS, fault=True),
)
