"""Clients of headless Services: each keeps the addresses that DNS gave it, and asks again later.

One stands for all: the one that asked last before the slices changed. DNS itself answers by the
slices as they are, since an answer that is late is one that was given earlier.
"""

from __future__ import annotations

from functools import partial

from kubelemma.model.cluster.component import NO_PARTS, Component, Parts, all_nodes_alike, never
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.components.endpointslice.leaving import LEAVING
from kubelemma.model.components.endpointslice.listening import hear, listens
from kubelemma.model.components.endpointslice.rules import followed
from kubelemma.model.system import Rule

from .actions import ACTIONS
from .route import BY_NAME

CLIENT = "client"


def _parts(setting: Setting) -> Parts:
    if not listens(setting, BY_NAME):
        return NO_PARTS
    asks = partial(hear, followed(setting), BY_NAME)
    return Parts(rules=(Rule("ask DNS again", CLIENT, (LEAVING,), asks),))


COMPONENT = Component(
    name="dns",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
)
