"""Which requests loaded code may send: what the model can follow, and the API server would take."""

from __future__ import annotations

from collections.abc import Collection

from kubelemma.model.findings import did_you_mean
from kubelemma.model.kinds.parts.names import dns_subdomain

from .objects import FrozenMap
from .requests import Request

DEPLOYMENT = "Deployment"
NODE = "Node"
BUILT_IN = frozenset({DEPLOYMENT, NODE})
"""Kinds of which the model has its own idea: loaded code is shown objects made from that."""
COUNTED = frozenset({"Pod", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"})
"""Kinds that are counts in the model, or whose controllers it does not have."""


def kind_refusal(kind: str) -> str:
    """Why a kind cannot be kept as objects; empty where it can."""
    if kind in COUNTED:
        return (
            f"{kind} is no kind that loaded code can read: it has Deployment, Node, and its own "
            "kinds"
        )
    return ""


def refusal_of(
    request: Request, kinds: tuple[str, ...], cluster_scoped: Collection[str] = ()
) -> str:
    """What is wrong with a request, as a sentence about its sender; empty where nothing is."""
    if request.kind not in kinds:
        hint = did_you_mean(request.kind, kinds)
        declared = ", ".join(kinds) or "none"
        return f'writes "{request.kind}"{hint}, which it does not declare; it has: {declared}'
    wrong = dns_subdomain(request.name or f"{request.prefix}1")
    if wrong:
        return f"sends {request}: {wrong}"
    if request.namespace and request.kind in cluster_scoped:
        return f"sends {request}: {request.kind} is cluster-scoped, so it has no namespace"
    if not request.namespace and request.kind not in cluster_scoped:
        return f"sends {request} without a namespace: write namespace=, as {request.kind} needs one"
    return _built_in_refusal(request) if request.kind in BUILT_IN else ""


_LARGEST_INT32 = 2**31 - 1
_WRITABLE = {DEPLOYMENT: ("replicas", "paused"), NODE: ("unschedulable",)}


def _built_in_refusal(request: Request) -> str:
    kind, writable = request.kind, _WRITABLE[request.kind]
    if request.verb in ("create", "delete"):
        return f"sends {request}: {kind}s are neither created nor deleted in the model"
    spec = request.parts.get("spec", FrozenMap())
    other = [name for name in request.parts if name != "spec"]
    other += [f"spec.{name}" for name in spec if name not in writable]
    if other and request.verb != "get":
        can = " and ".join(f"spec.{name}" for name in writable)
        return f"writes {other[0]} of a {kind}, of which it can write {can}"
    lacking = [name for name in writable if name not in spec]
    if request.verb == "update" and lacking:
        return f"replaces the spec of a {kind} without spec.{lacking[0]}: patch it instead"
    for name, value in spec.items():
        if wrong := _value_refusal(name, value):
            return f"sets spec.{name} of a {kind} to {value!r}, which is {wrong}"
    return ""


def _value_refusal(name: str, value: object) -> str:
    """What is wrong with the value of a field; empty where nothing is."""
    flag = isinstance(value, bool)
    if name != "replicas":
        return "" if flag else "neither True nor False"
    fits = isinstance(value, int) and not flag and 0 <= value <= _LARGEST_INT32
    return "" if fits else "no number of pods"
