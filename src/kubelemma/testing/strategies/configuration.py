"""ConfigMaps and Secrets."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from hypothesis import strategies as st

from .words import Manifests, metadata, objects

_KEYS = st.sampled_from(("mode", "settings.yaml", "TOKEN", "tls.crt"))
_TEXTS = st.sampled_from(("plain", "a: 1\n", ""))


def _encoded() -> st.SearchStrategy[dict[str, str]]:
    values = _TEXTS.map(lambda text: b64encode(text.encode()).decode())
    return st.dictionaries(_KEYS.map(lambda key: f"{key}.bin"), values, max_size=2)


def _with(kind: str, **optional: st.SearchStrategy[Any]) -> Manifests:
    return st.builds(
        lambda whole, rest: {**whole, **rest},
        objects("v1", kind, metadata=metadata()),
        st.fixed_dictionaries({}, optional={**optional, "immutable": st.booleans()}),
    )


def config_maps() -> Manifests:
    """ConfigMaps, with text or with anything in them."""
    texts = st.dictionaries(_KEYS, _TEXTS, max_size=2)
    return _with("ConfigMap", data=texts, binaryData=_encoded())


def secrets() -> Manifests:
    """Secrets that may hold anything."""
    texts = st.dictionaries(_KEYS, _TEXTS, max_size=2)
    return _with("Secret", data=_encoded(), stringData=texts, type=st.just("Opaque"))
