"""What is wrong with a scenario although each of its objects is fine by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from kubelemma.model.findings import FieldPath, Finding, did_you_mean
from kubelemma.model.manifests.check import CheckSpec, nodes_of
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.workloads import Deployment


class Misplaced(NamedTuple):
    """A finding about a Deployment, whose position its manifest knows."""

    deployment: Deployment
    finding: Finding


def check_findings(
    spec: CheckSpec, nodes: tuple[Node, ...], *, caches: bool = False
) -> Iterator[Finding]:
    """What is wrong with the Check, given the Node objects of the manifests.

    ``caches`` says whether there are controllers that have some: reconcile functions.
    """
    yield from _names(spec, nodes)
    yield from _events(spec, nodes)
    if spec.faults.stale_reads and not caches:
        path: FieldPath = ("spec", "faults", "staleReads")
        message = (
            f"is {spec.faults.stale_reads}: controllers read the store here, only 0 can be, unless "
            "a controller of your own is loaded (--load)"
        )
        yield Finding(path, message)


def _names(spec: CheckSpec, nodes: tuple[Node, ...]) -> Iterator[Finding]:
    names = Counter(node.metadata.name for node in (*nodes, *nodes_of(spec.cluster)))
    for name, number in names.items():
        if number > 1:
            yield Finding(("spec", "cluster", "nodes"), f'{number} nodes are called "{name}"')


def _events(spec: CheckSpec, nodes: tuple[Node, ...]) -> Iterator[Finding]:
    """Events that name a node which is not there; without a cluster any name is wrong."""
    names = [node.metadata.name for node in (*nodes, *nodes_of(spec.cluster))]
    for index, entry in enumerate(spec.events or ()):
        for event, given in entry.given():
            wanted = getattr(given, "node", "")
            if wanted and wanted not in names:
                message = f'there is no Node "{wanted}"{did_you_mean(wanted, names)}'
                yield Finding(("spec", "events", index, event, "node"), message)


def deployment_findings(
    deployments: tuple[Deployment, ...], spec: CheckSpec, nodes: tuple[Node, ...]
) -> Iterator[Misplaced]:
    """Deployments that name a node which is not there."""
    names = [node.metadata.name for node in (*nodes, *nodes_of(spec.cluster))]
    path: FieldPath = ("spec", "template", "spec", "nodeName")
    for deployment in deployments:
        wanted = deployment.spec.template.spec.node_name
        if wanted and wanted not in names:
            hint = did_you_mean(wanted, names) or (
                "" if names else " (describe the cluster, with --nodes for example)"
            )
            yield Misplaced(deployment, Finding(path, f'there is no Node "{wanted}"{hint}'))
