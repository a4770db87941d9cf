"""Broken decisions of the StatefulSet controller, on a small StatefulSet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mutating import Mutant, Raw

from kubelemma.model.cluster.columns import PODS
from kubelemma.model.cluster.state import Phase, Pods, shifted
from kubelemma.model.cluster.world import PodClass, World
from kubelemma.model.components.kubelet.actions import FINISH_TERMINATION
from kubelemma.model.components.statefulset.actions import COLLECT_CLAIM
from kubelemma.model.components.statefulset.decision import (
    Act,
    Purpose,
    SetView,
    Verb,
    update_stateful_set,
)
from kubelemma.model.components.statefulset.retention import Held
from kubelemma.model.kinds.registry import with_defaults
from kubelemma.model.manifests.check import Check
from kubelemma.model.objects.controllers import StatefulSet
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.scenario import Application, Scenario, build
from kubelemma.model.system import Outcome

LABELS = {"app": "web"}
POD = {"containers": [{"name": "main", "resources": {"requests": {"cpu": "1"}}}]}
ROOM = {"cpu": "4", "memory": "8Gi", "pods": "9"}


@dataclass(frozen=True, slots=True)
class Members:
    """A small scenario of a StatefulSet on two nodes; ``fields`` are of its spec."""

    events: tuple[Raw, ...]
    replicas: int = 2
    fields: Raw | None = None

    def built(self) -> Scenario:
        """The scenario; its system is made of the functions of this moment.

        Of several starts it is the first.
        """
        raw = {
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {
                "replicas": self.replicas,
                "selector": {"matchLabels": LABELS},
                "template": {"metadata": {"labels": LABELS}, "spec": POD},
                **(self.fields or {}),
            },
        }
        owner = with_defaults(decode(raw, StatefulSet))
        nodes = tuple(
            with_defaults(
                decode({"metadata": {"name": name}, "status": {"allocatable": ROOM}}, Node)
            )
            for name in ("a", "b")
        )
        check = decode({"spec": {"events": list(self.events)}}, Check)
        scenario, *_ = build(Application((owner,), nodes), check)
        return scenario


def _scale(replicas: int) -> Raw:
    return {"scale": {"workload": "web", "replicas": replicas}}


_ROLLOUT = {"rollout": {"workload": "web"}}
_PROBE = {"probeFailure": {"workload": "web"}}
_DELETION = {"deletePod": {"workload": "web"}}

REPAIRED = Members(({"nodeCrash": {}}, {"outOfService": {}}))
MEMBERS = Members((_DELETION,))
JOINING = Members((_scale(3), _PROBE), replicas=1)
LEAVING = Members((_scale(1), _PROBE), replicas=3)
RENEWED = Members((_ROLLOUT, _PROBE), replicas=3)
CANARY = Members(
    (_ROLLOUT, _DELETION), fields={"updateStrategy": {"rollingUpdate": {"partition": 1}}}
)


CLAIMING = Members(
    (_scale(1), _DELETION),
    fields={
        "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"},
        "volumeClaimTemplates": [
            {
                "metadata": {"name": "data"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": "1Gi"}},
                },
            }
        ],
    },
)


def hurries(view: SetView, pods: Any) -> Any:
    """Does all at once, whatever the policy."""
    return update_stateful_set(view._replace(ordered=False), pods)


def rolls_all(view: SetView, replicas: Any) -> Iterator[Act]:
    """Replaces every pod that is of another revision, whatever becomes of the others."""
    for found in replicas:
        if found.revision != view.update and not found.terminating:
            yield Act(Verb.DELETE, found.ordinal, found.revision, Purpose.ROLL_OUT)


def renews_all(view: SetView, _ordinal: int) -> Any:
    """Makes every pod of the update revision, wherever the partition is."""
    return view.update


def waits_for_no_name(_world: World, pods: Pods, group: Any) -> Pods:
    """Takes a pod that is deleted for gone, while its containers still run."""
    rest = shifted(pods, group.pod_class, group.phase, -1, group.marks)
    return shifted(rest, group.pod_class, Phase.LINGERING, 1)


def keeps(**_: bool) -> bool:
    """Pods that terminate on a node out of service stay."""
    return False


def collects_all(held: Held, claim: Any, pods: Any) -> Iterator[Outcome]:
    """A collector that does not look whether the pod that is gone owned the claim."""
    if claim.present and not claim.deleted and all(pod.ordinal != held.ordinal for pod in pods):
        writes = {held.cell: claim._replace(condemned=True, deleted=True)}
        yield Outcome(COLLECT_CLAIM, writes, (("claim", held.number),))


def ends_none(pod_class: PodClass, pods: Pods, _group: Any) -> Outcome:
    """The kubelet stops no container of a pod that terminates."""
    return Outcome(FINISH_TERMINATION, {PODS: pods}, (("class", pod_class.index),))


_ROOM = "components.statefulset"

STATEFULSET_MUTANTS = (
    Mutant(
        "STS-1",
        "names are free at once",
        "cluster.world.World",
        "deleted",
        waits_for_no_name,
        MEMBERS,
    ),
    Mutant("STS-2", "no order", f"{_ROOM}.rules", "update_stateful_set", hurries, JOINING),
    Mutant("STS-3", "no order", f"{_ROOM}.rules", "update_stateful_set", hurries, LEAVING),
    Mutant("STS-4", "all at once", f"{_ROOM}.decision", "_rolled", rolls_all, RENEWED),
    Mutant("STS-5", "no partition", f"{_ROOM}.decision", "revision_of_new", renews_all, CANARY),
    Mutant("STS-6", "no owner", f"{_ROOM}.retention.Held", "collect", collects_all, CLAIMING),
    Mutant("STS-8", "nobody collects", "components.podgc.rules", "is_collected", keeps, REPAIRED),
    Mutant(
        "STS-7", "pods do not end", "components.kubelet.rules", "_termination", ends_none, MEMBERS
    ),
)
