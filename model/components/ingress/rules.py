"""The Ingress controllers: each watches EndpointSlices itself and sends straight to the pods.

One stands for all: the one that has heard least. Its lag is its own, beside that of kube-proxies.
"""

from __future__ import annotations

from functools import partial

from kubelemma.model.cluster.component import NO_PARTS, Component, Parts, all_nodes_alike, never
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.components.endpointslice.leaving import LEAVING
from kubelemma.model.components.endpointslice.listening import hear, listens
from kubelemma.model.components.endpointslice.rules import followed
from kubelemma.model.objects.ingress import Ingress
from kubelemma.model.system import Rule

from .actions import ACTIONS
from .first import cells, rules, tallies
from .route import BY_INGRESS

INGRESS_CONTROLLER = "ingress-controller"


def _parts(setting: Setting) -> Parts:
    first = Parts(
        cells=cells(setting),
        tallies=tallies(setting),
        rules=rules(setting, INGRESS_CONTROLLER),
    )
    if not listens(setting, BY_INGRESS):
        return first if first.rules else NO_PARTS
    hears = partial(hear, followed(setting), BY_INGRESS)
    listening = Rule("hear of backends", INGRESS_CONTROLLER, (LEAVING,), hears)
    return first._replace(rules=(*first.rules, listening))


COMPONENT = Component(
    name="ingress",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
    kinds=(Ingress,),
)
