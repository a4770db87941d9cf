"""API versions: which kinds they have, and which are no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubelemma.model.findings import did_you_mean, nearest

from .kind import Kind
from .other import OTHER
from .registry import KINDS

_REMOVED = {
    "extensions/v1beta1": "v1.16",
    "apps/v1beta1": "v1.16",
    "apps/v1beta2": "v1.16",
    "policy/v1beta1": "v1.25",
}
"""API versions that are no more, and since when."""

_CHECKED = frozenset(kind.name for kind in KINDS if kind.check.left_out is None)


def is_custom(api_version: str) -> bool:
    """Whether the API group can only be somebody's own (a domain that is not Kubernetes')."""
    group = api_version.rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")


def api_version_problem(api_version: str, kind: str, kinds: Mapping[str, Kind[Any]]) -> str | None:
    """What is wrong with this API version for a kind that is read; None where nothing is."""
    if is_custom(api_version) or kind not in kinds or kinds[kind].api_version == api_version:
        return None
    right = kinds[kind].api_version
    since = _REMOVED.get(api_version)
    why = f" (removed in Kubernetes {since})" if since else ""
    return f'"{api_version}" has no {kind}{why}: write {right}'


def kind_problem(api_version: str, kind: str) -> str | None:
    """What is wrong with a kind that its API version, one of Kubernetes itself, does not have."""
    known = {
        *(other.name for other in KINDS if other.api_version == api_version),
        *(name for other in OTHER if other.api_version == api_version for name in other.names),
    }
    if not known or kind in known or kind in _CHECKED or nearest(kind, known) is None:
        return None
    return f'"{kind}" is not a kind of {api_version}{did_you_mean(kind, known)}'
