"""Which requests loaded code may send: what the model can follow, and the API server would take."""

from __future__ import annotations

from kubelemma.model.manifests.names import dns_subdomain
from kubelemma.model.manifests.problems import did_you_mean

from .objects import FrozenMap
from .requests import Request

DEPLOYMENT = "Deployment"
COUNTED = frozenset({"Pod", "ReplicaSet", "Node", "StatefulSet", "DaemonSet", "Job", "CronJob"})
"""Kinds that are counts in the model, or whose controllers it does not have."""
_WRITABLE = frozenset({"replicas", "paused"})


def kind_refusal(kind: str) -> str:
    """Why a kind cannot be kept as objects; empty where it can."""
    if kind in COUNTED:
        return f"{kind} is no kind that loaded code can read: it has Deployment, and its own kinds"
    return ""


def refusal_of(request: Request, kinds: tuple[str, ...]) -> str:
    """What is wrong with a request, as a sentence about its sender; empty where nothing is."""
    if request.kind not in kinds:
        hint = did_you_mean(request.kind, kinds)
        declared = ", ".join(kinds) or "none"
        return f'writes "{request.kind}"{hint}, which it does not declare; it has: {declared}'
    wrong = dns_subdomain(request.name or f"{request.prefix}1")
    if wrong:
        return f"sends {request}: {wrong}"
    return _deployment_refusal(request) if request.kind == DEPLOYMENT else ""


def _deployment_refusal(request: Request) -> str:
    if request.verb in ("create", "delete"):
        return f"sends {request}: Deployments are neither created nor deleted in the model"
    spec = request.parts.get("spec", FrozenMap())
    other = [name for name in request.parts if name != "spec"]
    other += [f"spec.{name}" for name in spec if name not in _WRITABLE]
    if other and request.verb != "get":
        return f"writes {other[0]} of a Deployment, of which it can write spec.replicas and paused"
    replicas = spec.get("replicas", 0)
    if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 0:
        return f"sets spec.replicas of a Deployment to {replicas!r}, which is no number of pods"
    return ""
