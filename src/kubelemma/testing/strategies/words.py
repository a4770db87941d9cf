"""The small parts of manifests: names, labels, amounts, selectors.

Everything shrinks to what a person would write first: ``web``, ``app: web``, ``100m``.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeAlias

import yaml
from hypothesis import strategies as st

from kubelemma.model.manifests.scalars import read_plain

Manifest: TypeAlias = dict[str, Any]
"""An object, or a part of one, as plain data: what ``yaml.safe_load`` gives."""

Manifests: TypeAlias = st.SearchStrategy[Manifest]

LARGEST_INT32 = 2**31 - 1
ZONE = "topology.kubernetes.io/zone"
HOSTNAME = "kubernetes.io/hostname"
TEMPLATE_HASH = "pod-template-hash"

NODE_LABELS: Mapping[str, tuple[str, ...]] = {
    "disktype": ("ssd", "hdd"),
    "node.example.com/pool": ("general", "batch"),
    "kubernetes.io/arch": ("amd64", "arm64"),
}
"""Labels that drawn nodes have and drawn pods ask for, so that they meet."""

TAINT_KEYS = ("dedicated", "node.example.com/gpu", "node-role.kubernetes.io/control-plane")
"""Keys of taints that drawn nodes have and drawn pods tolerate."""

EXTENDED_RESOURCE = "example.com/gpu"
"""A resource that only some nodes have, and of which pods get whole pieces."""

_LOWER = string.ascii_lowercase + string.digits
_LABEL = string.ascii_letters + string.digits
_NAMES = ("web", "api", "cache", "worker")
_LABEL_KEYS = ("app", "tier", "app.kubernetes.io/name", "example.com/team")


@cache
def seldom(one_in: int) -> st.SearchStrategy[bool]:
    """Whether something is there that only one of so many has; shrinks to no."""
    return st.integers(1, one_in).map(lambda number: number == one_in)


def _bounded(ends: str, inner: str, size: int) -> st.SearchStrategy[str]:
    """Words of at most so many characters whose first and last are of ``ends``."""
    end = st.sampled_from(ends)
    middle = st.text(inner, max_size=size - 2)
    long = st.builds(lambda first, between, last: first + between + last, end, middle, end)
    return (end | long).filter(_reads_alike)


def _reads_alike(text: str) -> bool:
    """Whether it stays a string: Kubernetes reads more words as booleans than PyYAML quotes."""
    return isinstance(read_plain(text), str) or not isinstance(yaml.safe_load(text), str)


@cache
def names() -> st.SearchStrategy[str]:
    """Names that any kind of object may have: of a Deployment, a Namespace, a container."""
    return st.sampled_from(_NAMES) | _bounded(_LOWER, f"{_LOWER}-", 20)


def namespaces_of() -> st.SearchStrategy[str]:
    """Namespaces that objects are put into."""
    return st.sampled_from(("default", "shop"))


@cache
def label_keys() -> st.SearchStrategy[str]:
    """Keys of labels, some with a domain."""
    plain = _bounded(_LABEL, f"{_LABEL}-_.", 30)
    domain = st.sampled_from(("example.com", "k8s.example.org"))
    return st.sampled_from(_LABEL_KEYS) | plain | st.builds("{}/{}".format, domain, plain)


@cache
def label_values() -> st.SearchStrategy[str]:
    """Values of labels, the empty one among them."""
    return st.sampled_from((*_NAMES, "")) | _bounded(_LABEL, f"{_LABEL}-_.", 20)


@cache
def labels(least: int = 0) -> st.SearchStrategy[dict[str, str]]:
    """Labels of any object; at least so many."""
    return st.dictionaries(label_keys(), label_values(), min_size=least, max_size=least + 2)


@cache
def annotation_maps() -> st.SearchStrategy[dict[str, str]]:
    """Annotations, of which the model reads few."""
    printable = st.text(st.characters(exclude_categories=("C", "Z")), max_size=20)
    return st.dictionaries(label_keys(), printable.filter(_reads_alike), max_size=2)


@cache
def metadata(*, namespaced: bool = True) -> Manifests:
    """Metadata with a name."""
    optional: dict[str, st.SearchStrategy[Any]] = {
        "labels": labels(),
        "annotations": annotation_maps(),
    }
    if namespaced:
        optional["namespace"] = namespaces_of()
    return st.fixed_dictionaries({"name": names()}, optional=optional)


def objects(api_version: str, kind: str, **fields: st.SearchStrategy[Any]) -> Manifests:
    """Whole objects: the envelope, and these fields, of which ``metadata`` should be one."""
    envelope = {"apiVersion": st.just(api_version), "kind": st.just(kind)}
    return st.fixed_dictionaries({**envelope, **fields})


# Amounts


@cache
def cpu(most_milli: int = 4000) -> st.SearchStrategy[str]:
    """Amounts of CPU, as people write them."""
    return st.integers(1, most_milli // 100).flatmap(lambda n: st.sampled_from(_cpu_forms(n * 100)))


def _cpu_forms(milli: int) -> tuple[str, ...]:
    """The same amount in several notations."""
    return (f"{milli}m", f"{milli / 1000:g}")


@cache
def memory(most_mebi: int = 8192) -> st.SearchStrategy[str]:
    """Amounts of memory or disk, in binary or decimal units, or in bytes."""
    sizes = st.integers(1, most_mebi // 64).map(lambda n: n * 64)
    return sizes.flatmap(lambda n: st.sampled_from(_memory_forms(n)))


def _memory_forms(mebi: int) -> tuple[str, ...]:
    """Nearly the same amount in several notations, none of them larger than the first."""
    gibi = (f"{mebi // 1024}Gi",) if mebi % 1024 == 0 else ()
    return (f"{mebi}Mi", *gibi, f"{mebi}M", str(mebi * 2**20), f"{mebi * 1000}k")


@cache
@st.composite
def resources(draw: st.DrawFn) -> Manifest:
    """Requests and limits of a container: no request is above its limit."""
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    for name, unit, most in (("cpu", "m", 20), ("memory", "Mi", 40)):
        asked, more = draw(_amounts(most))
        if asked:
            requests[name] = f"{asked * 100}{unit}"
        if more is not None:
            limits[name] = f"{(asked + more or 1) * 100}{unit}"
    if draw(seldom(5)):
        requests[EXTENDED_RESOURCE] = limits[EXTENDED_RESOURCE] = "1"
    found = {"requests": requests, "limits": limits}
    return {field: amounts for field, amounts in found.items() if amounts}


@cache
def _amounts(most: int) -> st.SearchStrategy[tuple[int, int | None]]:
    """How much is requested (0: nothing), and by how much the limit is higher (None: no limit)."""
    return st.tuples(st.integers(0, most), st.none() | st.integers(0, 10))


# Selectors

_ONE_OR_TWO = st.integers(1, 2)
_OPERATORS = st.sampled_from(("In", "Exists", "NotIn", "DoesNotExist"))


@cache
@st.composite
def selectors(draw: st.DrawFn, *, least: int = 0) -> Manifest:
    """Label selectors of any pods, with at least so many requirements."""
    wanted = draw(labels(least))
    return draw(selectors_of(wanted)) if wanted else {}


@st.composite
def selectors_of(draw: st.DrawFn, own: Mapping[str, str]) -> Manifest:
    """Label selectors that these labels, of which there is at least one, satisfy."""
    chosen = sorted(own)[: draw(_ONE_OR_TWO)]
    match: dict[str, str] = {}
    expressions: list[Manifest] = []
    for key in chosen:
        if draw(seldom(3)):
            expressions.append(draw(_expression(key, own)))
        else:
            match[key] = own[key]
    found = {"matchLabels": match, "matchExpressions": expressions}
    return {field: given for field, given in found.items() if given}


@st.composite
def _expression(draw: st.DrawFn, key: str, own: Mapping[str, str]) -> Manifest:
    """An expression that the labels satisfy."""
    operator = draw(_OPERATORS)
    match operator:
        case "In":
            others = [value for value in draw(_some_values()) if value != own[key]]
            return {"key": key, "operator": "In", "values": [own[key], *others]}
        case "NotIn":
            others = [value for value in draw(_some_values()) if value != own[key]]
            return {"key": key, "operator": "NotIn", "values": others or [_other(own[key])]}
        case "DoesNotExist":
            absent = draw(label_keys().filter(lambda k: k not in own))
            return {"key": absent, "operator": "DoesNotExist"}
        case _:
            return {"key": key, "operator": "Exists"}


@cache
def _some_values() -> st.SearchStrategy[list[str]]:
    return st.lists(label_values(), max_size=2, unique=True)


def _other(value: str) -> str:
    """A value of a label that is not this one."""
    return "other" if value != "other" else "another"
