"""Drawn objects as the types that the model works on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st

from kubelemma.model.manifests import with_defaults
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import ApiObject

from .words import Manifests

ObjectT = TypeVar("ObjectT")


def typed(
    manifests: Manifests, kind: type[ObjectT], *, defaults: bool = False
) -> st.SearchStrategy[ObjectT]:
    """The same as values of a type of `kubelemma.model.objects`: ``typed(pods(), Pod)``.

    Args:
        manifests: what is drawn.
        kind: the type, such as ``Deployment``.
        defaults: whether the API server's defaults are filled in, where it has any for the kind.
    """
    fill: Callable[[Any], Any] = with_defaults

    def decoded(manifest: dict[str, object]) -> ObjectT:
        plain = {k: v for k, v in manifest.items() if k not in ("apiVersion", "kind")}
        found = decode(plain, kind)
        return fill(found) if defaults and isinstance(found, ApiObject) else found

    return manifests.map(decoded)
