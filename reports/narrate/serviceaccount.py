"""Service accounts, and pods that are refused for want of them."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.world import Workload
from kubelemma.model.components.serviceaccount.actions import DELETE_SERVICE_ACCOUNT, REFUSE_POD
from kubelemma.model.components.serviceaccount.rules import account_of_workload
from kubelemma.reports.story import Fact

from .causes import event
from .scene import Belied, Claim, Scene, about_workload
from .teller import Teller


def _account(scene: Scene) -> str:
    """Of the step itself, or of the pods that it is about."""
    named = dict(scene.step.outcome.arguments).get("account")
    if named is None and scene.workload is not None:
        named = account_of_workload(scene.world, scene.workload)
    return f"ServiceAccount {named}"


@about_workload
def _lacking(scene: Scene, workload: Workload) -> Iterator[Fact]:
    position = scene.written.template(workload, ("serviceAccountName",))
    account = account_of_workload(scene.world, workload)
    yield Fact("ServiceAccount of the pod", str(account), position)


def _gone(belied: Belied) -> Iterator[Claim]:
    yield Claim(f"{belied.prop.subject} has no ServiceAccount default", ())


TELLER = Teller(
    name="serviceaccount",
    sentences={
        DELETE_SERVICE_ACCOUNT: "deletes {account}",
        REFUSE_POD: "tries to create a pod and is refused: {account} does not exist",
    },
    words={"account": _account},
    facts={REFUSE_POD: _lacking},
    causes={DELETE_SERVICE_ACCOUNT: event("deleteServiceAccount")},
    claims={"SA-1": _gone},
)
