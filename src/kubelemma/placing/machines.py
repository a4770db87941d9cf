"""Machine types: a small document of its own, which names nodes that could be added.

::

    apiVersion: kubelemma.dev/v1alpha1
    kind: Machines
    machines:
    - {name: large, price: 0.4, allocatable: {cpu: "16", memory: 64Gi}}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from kubelemma.model.manifests import (
    Cluster,
    FieldPath,
    Finding,
    InvalidInput,
    NodeGroup,
    Position,
    Problem,
    Source,
    nodes_of,
    show,
)
from kubelemma.model.manifests.check import validate_nodes
from kubelemma.model.manifests.documents import Document, parse
from kubelemma.model.manifests.shapes import Reading, mismatches, shape_of
from kubelemma.model.manifests.sources import gather
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import ApiStruct
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.quantity import Quantity

VERSION = "kubelemma.dev/v1alpha1"
KIND = "Machines"


class Machine(NodeGroup, frozen=True, kw_only=True):
    """A machine type; ``price`` of one in whatever money and time, None where all cost alike."""

    price: Quantity | None = None


class _Machines(ApiStruct, frozen=True, kw_only=True):
    """``kind: Machines``."""

    machines: tuple[Machine, ...] = ()


class Offer(NamedTuple):
    """A machine type as a node to copy, and what one costs."""

    node: Node
    price: Fraction


def machines(path: str) -> dict[str, Offer]:
    """The machine types of a file, by name.

    Raises:
        InvalidInput: the file cannot be read, or something is wrong with it.
    """
    document = _document(path)
    own = {k: v for k, v in document.data.items() if k not in ("apiVersion", "kind", "metadata")}
    _raise(document, mismatches(own, shape_of(_Machines), Reading(document.written, closed=True)))
    listed: tuple[Machine, ...] = decode(own, _Machines).machines
    _raise(document, _wrong(listed))
    return {m.name: Offer(_node(m), m.price.amount if m.price else Fraction(1)) for m in listed}


def _document(path: str) -> Document:
    gathered = gather([Source(path)], build=False)
    if gathered.problems:
        raise InvalidInput(gathered.problems)
    text = gathered.texts[0]
    parsed = parse(text.file, text.text)
    if parsed.problems:
        raise InvalidInput(parsed.problems)
    usable = [d for d in parsed.documents if _is_machines(d.data)]
    if len(usable) != 1:
        message = f"expected one document of kind {KIND} ({VERSION})"
        raise InvalidInput([Problem(Position(path), "kind", message)])
    return usable[0]


def _is_machines(data: Any) -> bool:
    wanted = {"apiVersion": VERSION, "kind": KIND}
    return isinstance(data, dict) and {k: data.get(k) for k in wanted} == wanted


def _wrong(listed: Sequence[Machine]) -> Iterator[Finding]:
    if not listed:
        yield Finding(("machines",), "is required: there is no machine type")
    seen: set[str] = set()
    for index, machine in enumerate(listed):
        here: FieldPath = ("machines", index)
        yield from validate_nodes(machine, here)
        if not machine.name:
            yield Finding((*here, "name"), "is required")
        elif machine.name in seen:
            yield Finding((*here, "name"), f'"{machine.name}" is there already')
        if machine.count != 1 or machine.zones:
            yield Finding(here, "count and zones are not for machine types: use labels for a zone")
        if machine.price is not None and machine.price.amount <= 0:
            yield Finding((*here, "price"), f'"{machine.price}" is not more than 0')
        seen.add(machine.name)


def _raise(document: Document, findings: Iterable[Finding]) -> None:
    found = [Problem(document.at(f.path), show(f.path), f.message) for f in findings]
    if found:
        raise InvalidInput(found)


def _node(machine: Machine) -> Node:
    (node,) = nodes_of(Cluster(nodes=(machine,)))
    return node
