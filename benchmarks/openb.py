"""A production GPU cluster of 1,523 nodes as a placement problem: the openb trace of 2023.

Nodes have cpu, memory and GPUs of one model; pods ask for cpu, memory, and either whole GPUs or a
share of one, in thousandths (``gpu_milli``). A model that a pod insists on becomes a node affinity
to the label of the GPU operator. Pods are placed all at once, which the trace never had to do.

Kubernetes knows no devices, only amounts of a resource on a node, so a share of a device has to be
told as an amount. Two ways:

``sum``: one extended resource, a thousandth of a GPU; a node offers 1000 for each. This is what
plugins for shared GPUs announce, and all that the scheduler's own filter looks at. It lets a pod
have 810 thousandths in two pieces of two devices, which no device does. So a NO is final, and a
YES is one for the scheduler only.

``device``: the same, and a second resource of the same size of which a whole GPU, and a share of
more than 800, takes 1000, a share from 200 to 800 itself, and less than 200 nothing. No device
holds more than 1000 of it, in whatever way its shares add up to at most 1000: beside a share above
800 there are only shares below 200. So this too is implied by devices that are not split (it is a
dual feasible function after Fekete and Schepers), and a NO is final; it is nearer the truth.

The number of pods of a node is not in the trace; it is taken to be 110, the kubelet's default.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from placement_clusters import HOSTNAME, PODS_A_NODE, Known, requests

from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.node import Node, NodeStatus
from kubelemma.model.objects.pod import (
    Affinity,
    Container,
    NodeAffinity,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    Pod,
    PodSpec,
    ResourceRequirements,
)
from kubelemma.model.objects.quantity import Quantity
from kubelemma.solver.placement.problem import Answer, Cluster, Problem, Workload

NODES = "openb_node_list_all_node.csv"
MODEL = "nvidia.com/gpu.product"
MILLI = "openb.example/gpu-milli"
UNSPLIT = "openb.example/gpu-unsplit"
NAMESPACE = "openb"
WHOLE, LARGE, SMALL = 1000, 800, 200

Gpus: TypeAlias = Literal["sum", "device"]
"""How shares of a GPU are told: see the module."""

ANSWERS: Mapping[tuple[str, Gpus], Answer] = {
    ("gpuspec33", "sum"): Answer.NO,
    ("gpuspec33", "device"): Answer.NO,
    ("multigpu50", "sum"): Answer.NO,
    ("multigpu50", "device"): Answer.NO,
    ("default", "device"): Answer.NO,
}
"""What adding up the columns shows: pods that insist on T4 need 1028 of the 842 there are; with
``multigpu50`` 11,358 GPUs are asked for, and 6,212 are there; unsplit, ``default`` needs 6,276.
Whether ``default`` has a placement by sums alone is not known: it needs 98 % of all GPUs."""


def known(folder: Path, pods: str, gpus: Gpus) -> Known:
    """The cluster, and a pod list: ``default``, ``gpuspec33`` or ``multigpu50``."""
    nodes = tuple(_nodes(folder / NODES, gpus))
    counted = Counter(_shapes(folder / f"openb_pod_list_{pods}.csv"))
    workloads = tuple(
        Workload(f"Pods {NAMESPACE}/shape-{i:03d}", _pod(f"shape-{i:03d}", shape, gpus), count)
        for i, (shape, count) in enumerate(sorted(counted.items()))
    )
    problem = Problem(Cluster(nodes, (), {NAMESPACE: {}}), workloads)
    return Known(problem, ANSWERS.get((pods, gpus)), "columns added up, see openb.py")


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _nodes(path: Path, gpus: Gpus) -> Iterator[Node]:
    for row in _rows(path):
        name, devices = row["sn"], int(row["gpu"])
        offered = requests(int(row["cpu_milli"]), int(row["memory_mib"]))
        offered["pods"] = Quantity(PODS_A_NODE)
        if devices:
            offered |= _amounts(devices * WHOLE, devices * WHOLE, gpus)
        labels = {HOSTNAME: name} | ({MODEL: row["model"]} if row["model"] else {})
        yield Node(
            metadata=ObjectMeta(name=name, labels=labels), status=NodeStatus(allocatable=offered)
        )


def _amounts(milli: int, unsplit: int, gpus: Gpus) -> dict[str, Quantity]:
    amounts = {MILLI: milli} | ({UNSPLIT: unsplit} if gpus == "device" else {})
    return {name: Quantity(amount) for name, amount in amounts.items() if amount}


Shape: TypeAlias = tuple[int, int, int, int, tuple[str, ...]]
"""cpu in millicores, memory in MiB, devices, thousandths of each, and the models allowed."""


def _shapes(path: Path) -> Iterator[Shape]:
    for row in _rows(path):
        models = tuple(sorted({m for m in row.get("gpu_spec", "").split("|") if m}))
        cpu, memory = int(row["cpu_milli"]), int(row["memory_mib"])
        yield cpu, memory, int(row["num_gpu"]), int(row["gpu_milli"]), models


def unsplit(milli: int) -> int:
    """What a share of one device counts for if it may not be split: see the module."""
    if milli > LARGE:
        return WHOLE
    return milli if milli >= SMALL else 0


def _pod(name: str, shape: Shape, gpus: Gpus) -> Pod:
    cpu, memory, devices, milli, models = shape
    asked = requests(cpu, memory) | _amounts(devices * milli, devices * unsplit(milli), gpus)
    return Pod(
        metadata=ObjectMeta(name=name, namespace=NAMESPACE, labels={"app": name}),
        spec=PodSpec(
            containers=(Container(name="main", resources=ResourceRequirements(requests=asked)),),
            affinity=_of_model(models) if models and devices else None,
            priority=0,
        ),
    )


def _of_model(models: tuple[str, ...]) -> Affinity:
    requirement = NodeSelectorRequirement(key=MODEL, operator="In", values=models)
    term = NodeSelectorTerm(match_expressions=(requirement,))
    return Affinity(node_affinity=NodeAffinity(required=NodeSelector(node_selector_terms=(term,))))
