"""The kube-proxies: each hears of the slices when it does, and sends traffic by what it has heard.

One stands for all: the one that has heard least of the pod that is followed. What a proxy knows
changes nothing for anybody else, so if any may lose a request, this one may.
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
from .route import BY_PROXY

KUBE_PROXY = "kube-proxy"


def _parts(setting: Setting) -> Parts:
    if not listens(setting, BY_PROXY):
        return NO_PARTS
    hears = partial(hear, followed(setting), BY_PROXY)
    return Parts(rules=(Rule("hear of EndpointSlices", KUBE_PROXY, (LEAVING,), hears),))


COMPONENT = Component(
    name="kubeproxy",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
)
