"""Machine types: a small document of its own, which names nodes that could be added.

::

    apiVersion: kubelemma.dev/v1alpha1
    kind: Machines
    machines:
    - {name: large, price: 0.4, allocatable: {cpu: "16", memory: 64Gi}}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from kubelemma.model.manifests import Cluster, FieldPath, Finding, NodeGroup, Source, nodes_of
from kubelemma.model.manifests.groups import validate_nodes
from kubelemma.model.manifests.standalone import read_standalone
from kubelemma.model.objects.meta import ApiStruct
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.quantity import Quantity

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
    found = read_standalone(Source(path), KIND, _Machines)
    listed = found.value.machines
    found.refuse(_wrong(listed))
    return {m.name: Offer(_node(m), m.price.amount if m.price else Fraction(1)) for m in listed}


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


def _node(machine: Machine) -> Node:
    (node,) = nodes_of(Cluster(nodes=(machine,)))
    return node
