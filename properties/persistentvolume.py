"""What is promised of claims and volumes: VOL-1, VOL-4, VOL-5."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kubelemma.model.cluster.shelves import shelf_of
from kubelemma.model.cluster.stocking import stock_of
from kubelemma.model.cluster.storage import (
    NONE,
    STORED,
    ClaimPhase,
    ClaimState,
    Stock,
    Stored,
)
from kubelemma.model.components.scheduler.decision.volumes import Asked, filter_binding, filter_zone
from kubelemma.model.components.volumeprotection.actions import DELETE_VOLUME
from kubelemma.model.objects.pod import Pod
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import Always, Converges
from .statement import ALL_NODES, Kind, Property, Severity, Statement, asked

_DOCS = "https://kubernetes.io/docs/concepts/storage/"
_CONTROLLER = "pkg/controller/volume/persistentvolume/pv_controller.go"

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="VOL-1",
        title="A binding is one to one",
        kind=Kind.SAFETY,
        severity=Severity.CRITICAL,
        statement=(
            "A volume is bound to at most one claim, and a claim to at most one volume: where a "
            "claim names a volume, that volume names this claim."
        ),
        why="Two claims with one volume would share data that neither expects to share.",
        conditions="While a binding is written, the volume names the claim first.",
        source=f"{_DOCS}persistent-volumes/#binding; {_CONTROLLER}",
        components=("persistent-volume-controller",),
        remediation="None on the user's side: this is an invariant of the controller itself.",
        defect_only=True,
    ),
    Statement(
        id="VOL-4",
        title="A claim is bound in the end",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "A claim is bound to a volume in the end; one whose class waits for the first "
            "consumer, once the scheduler has chosen a node for a pod that uses it."
        ),
        why="Pods that use the claim stay Pending until it is.",
        conditions="Users and faults stop in the end. Provisioners that are known make volumes.",
        source=f"{_DOCS}persistent-volumes/#binding; {_CONTROLLER}",
        components=("persistent-volume-controller", "volume-provisioner"),
        remediation=(
            "Give the claim a class that exists and has a provisioner, or a default class to the "
            "cluster; or create a volume of its class that is large enough, has its access modes, "
            "and is not claimed by another."
        ),
    ),
    Statement(
        id="VOL-5",
        title="One node reaches all volumes of a pod",
        kind=Kind.SAFETY,
        severity=Severity.HIGH,
        statement=(
            "Once all claims of a pod are bound, there is a node from which all of their volumes "
            "can be reached."
        ),
        why="No node passes the filters otherwise, and the pod stays Pending for ever.",
        conditions="By node affinity and the labels of volumes and nodes, whatever room there is.",
        source=(
            f"{_DOCS}storage-classes/#volume-binding-mode; "
            "pkg/scheduler/framework/plugins/volumebinding"
        ),
        components=("persistent-volume-controller", "volume-provisioner"),
        remediation=(
            "Let the class wait for the pod (volumeBindingMode: WaitForFirstConsumer), so that all "
            "its volumes are made where the pod goes; or keep the class to one zone with "
            "allowedTopologies, or use one claim."
        ),
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of each claim that pods use, and of each workload that uses any."""
    stock = stock_of(scenario.world)
    if not stock:
        return
    one_to_one = Always(View(reads=(STORED,)), _one_to_one)
    yield from asked(STATEMENTS, ALL_NODES, {"VOL-1": one_to_one})
    opens = DELETE_VOLUME in {event.action for event in scenario.events}
    for index, claim in enumerate(stock.claims):
        at = scenario.system.positions[claim.cell].start
        begins = (start[at] for start in scenario.system.starts)
        if claim.claim is not None and (opens or not all(map(_is_bound, begins))):
            view = View((claim.cell,))
            bound = Converges(view, _settled(waits=stock.claims[index].waits))
            yield from asked(STATEMENTS, claim.cell, {"VOL-4": bound})
    for workload in scenario.world.workloads:
        own = tuple(c for c in workload.classes if stock.uses[c])
        if own:
            within = Always(View(reads=(STORED,)), _within_reach(stock, own))
            yield from asked(STATEMENTS, workload.cell, {"VOL-5": within})


def _one_to_one(stored: Stored) -> bool | None:
    bound = [claim.volume for claim in stored.claims if claim.present and claim.volume != NONE]
    if not bound:
        return None
    mutual = all(
        not claim.present
        or claim.volume == NONE
        or not stored.volumes[claim.volume].present
        or stored.volumes[claim.volume].claim == index
        for index, claim in enumerate(stored.claims)
    )
    return len(set(bound)) == len(bound) and mutual


def _is_bound(claim: ClaimState) -> bool:
    return claim.volume != NONE and claim.phase == ClaimPhase.BOUND


def _settled(*, waits: bool) -> Callable[[ClaimState], bool]:
    def holds(claim: ClaimState) -> bool:
        idle = waits and claim.node == NONE and claim.volume == NONE
        return not claim.present or claim.deleted or idle or _is_bound(claim)

    return holds


def _within_reach(stock: Stock, classes: tuple[int, ...]) -> Callable[[Stored], bool | None]:
    def reached(stored: Stored, pod_class: int) -> bool | None:
        claims = stock.uses[pod_class]
        if not claims or not all(_is_bound(stored.claims[c]) for c in claims):
            return None
        shelf = shelf_of(stock, stored)
        bound = tuple(shelf.claims[stock.claims[c].key] for c in claims if stored.claims[c].present)
        asked_for = Asked(Pod(), None, bound=bound)
        return any(
            filter_binding(asked_for, node, shelf).ok and filter_zone(asked_for, node, shelf).ok
            for node in stock.nodes
        )

    def holds(stored: Stored) -> bool | None:
        found = [reached(stored, pod_class) for pod_class in classes]
        said = [answer for answer in found if answer is not None]
        return all(said) if said else None

    return holds
