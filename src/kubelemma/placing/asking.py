"""What is asked about a placement: the values of options, held against what the input has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeAlias

from kubelemma.model.manifests import InvalidInput, Position, Problem, did_you_mean
from kubelemma.model.objects.node import Node
from kubelemma.solver.placement.problem import Question

from .inventory import Key
from .machines import Offer

Reading: TypeAlias = Literal["gone", "unreachable"]
"""What is left of a lost node: nothing, or a Node object that is tainted unreachable."""

ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked, as it is written on the command line.

    Attributes:
        paths, stdin, nodes, namespace, kustomize, strict, variant: the input, as ``plan.read``
            takes it.
        reschedule: whether pods that a controller would create again may move.
        preemption: whether pods of lower priority make room, as the scheduler has them.
        question: what "can be placed" means.
        drain, cordon, lose: nodes, by name or ``key=value`` of a label.
        reading: what is left of lost nodes.
        survive: how many nodes may be lost, whichever they are.
        survive_zone: whether any zone may be lost.
        surge: workloads that are rolled out, or ``all``.
        scale: ``NAME=REPLICAS``.
        add: ``CLASS=COUNT``, a class being a machine type or a node to copy.
        machines: the file with machine types.
        fewest_nodes: whether the cheapest nodes to add are asked for.
        how_many: the workload of which more pods are asked for.
        why: pods, or workloads, of which is asked why they are where they are.
        time_limit_seconds: when to give up.
    """

    paths: tuple[str, ...]
    stdin: str | bytes = ""
    nodes: tuple[str, ...] = ()
    namespace: str = ""
    kustomize: bool = True
    strict: bool = False
    variant: str = ""
    reschedule: bool = False
    preemption: bool = True
    question: Question = Question.FINAL
    drain: tuple[str, ...] = ()
    cordon: tuple[str, ...] = ()
    lose: tuple[str, ...] = ()
    reading: Reading | None = None
    survive: int | None = None
    survive_zone: bool = False
    surge: tuple[str, ...] = ()
    scale: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    machines: str = ""
    fewest_nodes: bool = False
    how_many: str = ""
    why: tuple[str, ...] = ()
    time_limit_seconds: float | None = None


def refuse(flag: str, message: str) -> NoReturn:
    """Say what is wrong with an option.

    Raises:
        InvalidInput: always.
    """
    raise InvalidInput([Problem(Position(flag), "", message)])


def check_combination(asked: Asked) -> None:
    """Refuse what makes no sense together.

    Raises:
        InvalidInput: with a sentence that says why.
    """
    several = {
        "--survive": asked.survive is not None,
        "--survive-zone": asked.survive_zone,
        "--fewest-nodes": asked.fewest_nodes,
        "--how-many": bool(asked.how_many),
    }
    given = [flag for flag, on in several.items() if on]
    if asked.question is not Question.FINAL and given:
        flag = "--reachable" if asked.question is Question.REACHABLE else "--any-order"
        refuse(flag, f"is asked of one cluster, and {given[0]} asks about many: leave one out")
    if asked.fewest_nodes and len(given) > 1:
        other = next(flag for flag in given if flag != "--fewest-nodes")
        refuse("--fewest-nodes", f"cannot be combined with {other}: ask one after the other")
    if asked.how_many and len(given) > 1:
        other = next(flag for flag in given if flag != "--how-many")
        refuse("--how-many", f"cannot be combined with {other}: ask one after the other")
    if asked.machines and not (asked.add or asked.fewest_nodes):
        refuse("--machines", "is of use with --add or --fewest-nodes only")
    if asked.reading and not (asked.lose or given[:1] in (["--survive"], ["--survive-zone"])):
        refuse("--lose-reading", "is of use with --lose, --survive or --survive-zone only")


def nodes_meant(texts: Iterable[str], nodes: Sequence[Node], flag: str) -> tuple[int, ...]:
    """The nodes that are named, or carry a label ``key=value``, as indexes in order.

    Raises:
        InvalidInput: there is none.
    """
    found: set[int] = set()
    for text in texts:
        key, equals, value = text.partition("=")
        matching = {
            index
            for index, node in enumerate(nodes)
            if (node.metadata.label_map().get(key) == value if equals else _is(node, text))
        }
        if not matching:
            _no_node(text, nodes, flag)
        found |= matching
    return tuple(sorted(found))


def lost(texts: Iterable[str], nodes: Sequence[Node]) -> tuple[int, ...]:
    """As ``nodes_meant``; ``zone``, ``region`` and ``node`` stand for their usual labels."""
    return nodes_meant(map(_long, texts), nodes, "--lose")


_LABELS = {
    "zone": "topology.kubernetes.io/zone",
    "region": "topology.kubernetes.io/region",
}


def _long(text: str) -> str:
    key, equals, value = text.partition("=")
    if key == "node" and equals:
        return value
    return f"{_LABELS.get(key, key)}{equals}{value}"


def _is(node: Node, name: str) -> bool:
    return node.metadata.name == name


def _no_node(text: str, nodes: Sequence[Node], flag: str) -> NoReturn:
    key, equals, value = text.partition("=")
    if not equals:
        hint = did_you_mean(text, [node.metadata.name for node in nodes[:_FEW]])
        refuse(flag, f'there is no node "{text}"{hint}')
    values = sorted({v for n in nodes if (v := n.metadata.label_map().get(key)) is not None})
    if not values:
        keys = sorted({key for node in nodes[:_FEW] for key in node.metadata.label_map()})
        refuse(flag, f'no node has the label "{key}"{did_you_mean(key, keys)}')
    refuse(flag, f"no node has {key}={value}{_some(values)}")


def _some(names: Iterable[str]) -> str:
    """The first few of what there is."""
    every = sorted(set(names))
    shown = ", ".join(every[:_SHOWN]) + (", ..." if len(every) > _SHOWN else "")
    return f": there is {shown}" if every else ""


_SHOWN = 5
_FEW = 500
"""Among so many names a misspelt one is looked for."""


def workload_meant(text: str, keys: Collection[Key], flag: str) -> Key:
    """The workload called ``web``, ``shop/web``, ``deployment/web`` or ``Deployment shop/web``.

    Raises:
        InvalidInput: there is none, or more than one.
    """
    found = [key for key in keys if text in _names(key)]
    if not found:
        known = [name for key in keys for name in (key.name, f"{key.namespace}/{key.name}")]
        hint = did_you_mean(text, known) or _some(key.name for key in keys)
        refuse(flag, f'there is no workload "{text}"{hint}')
    if len(found) > 1:
        options = " or ".join(f'"{key}"' for key in found[:3])
        refuse(flag, f'"{text}" may mean {options}: write it out')
    return found[0]


def _names(key: Key) -> tuple[str, ...]:
    kind = key.kind.lower()
    full = f"{key.namespace}/{key.name}"
    return (key.name, full, f"{kind}/{key.name}", f"{kind}/{full}", str(key))


def scales(texts: Iterable[str], keys: Collection[Key]) -> dict[Key, int]:
    """``NAME=REPLICAS`` by workload.

    Raises:
        InvalidInput: something else is written, or there is no such workload.
    """
    wanted = {}
    for text in texts:
        name, number = counted(text, "--scale", "web=12")
        wanted[workload_meant(name, keys, "--scale")] = number
    return wanted


def counted(text: str, flag: str, example: str) -> tuple[str, int]:
    """``NAME=COUNT``.

    Raises:
        InvalidInput: something else is written.
    """
    name, equals, number = text.rpartition("=")
    if not equals or not name or not number.isdecimal() or len(number) > 7:  # noqa: PLR2004 - digits; nobody has ten million
        refuse(flag, f'"{text}" is not NAME=COUNT, such as {example}')
    return name, int(number)


def classes_meant(
    texts: Iterable[str], nodes: Sequence[Node], offers: Mapping[str, Offer]
) -> Iterator[tuple[Node, int]]:
    """The nodes to copy, and how often, from ``CLASS=COUNT``.

    Raises:
        InvalidInput: something else is written, or there is no such machine type or node.
    """
    by_name = {node.metadata.name: node for node in nodes}
    for text in texts:
        name, count = counted(text, "--add", "node-1=2")
        if name in offers:
            yield offers[name].node, count
        elif name in by_name:
            yield by_name[name], count
        else:
            known = [*offers, *list(by_name)[:_FEW]]
            refuse("--add", f'"{name}" is no machine type and no node{did_you_mean(name, known)}')
