"""What to do about claims and volumes."""

from __future__ import annotations

from collections.abc import Iterator

from .cases import Advice, Case, Repair, places, places_of
from .story import Hindrance
from .style import enumeration


def attached(case: Case) -> Iterator[Advice]:
    """A volume that goes to one node at a time, and stays with another one."""
    facts = tuple(case.own(Hindrance.ATTACHED))
    if not facts or any(True for _ in case.own(Hindrance.MACHINE)):
        return
    named = enumeration(dict.fromkeys(fact.value.partition(" on ")[0] for fact in facts))
    where = tuple(dict.fromkeys(place for fact in facts for place in places_of(fact)))
    why = f"The volume of claim {named} is attached to one node at a time"
    if case.rolling:
        text = (
            f"{why}, and the old pod keeps it until it is gone, which waits for the new one: let "
            "it go first, with strategy Recreate"
        )
        yield Advice("attached elsewhere", text, where, Repair.RECREATE)
    else:
        text = f"{why}: run one replica, or give each its own claim with a StatefulSet"
        yield Advice("attached elsewhere", text, where)
    text = "Or use a claim with ReadWriteMany, where the storage has such volumes"
    yield Advice("attached elsewhere", text)


def claims(case: Case) -> Iterator[Advice]:
    """Claims that keep the containers of pods on nodes from starting."""
    for fact in case.own(Hindrance.CLAIM):
        text = f"Claim {fact.value}, so no container starts: create a volume for it"
        if fact.value.endswith("deleted"):
            text = (
                f"Claim {fact.value}, and a pod that waits for it keeps it from going: scale the "
                "workload down, create the claim again once it is gone, and let nobody delete it "
                "while pods name it"
            )
        yield Advice("claim", text, places_of(fact))


_BINDING = (
    (
        ("not found", "being deleted"),
        "claim is not there",
        (
            "The scheduler says: {reason}. Create the claim (again), or name one that is there: no "
            "pod finds a node without it"
        ),
    ),
    (
        ("unbound immediate",),
        "claim is not bound",
        (
            "A claim of the pod is not bound: give it a class with a provisioner, or create a "
            "volume that fits it"
        ),
    ),
    (
        ("node affinity",),
        "volume out of reach",
        (
            "The volumes of the pod keep it to nodes that cannot take it: let volumes be made "
            "where the pod goes (volumeBindingMode: WaitForFirstConsumer), or add a node with room "
            "where they are"
        ),
    ),
    (
        ("persistent volumes to bind",),
        "no volume",
        (
            "No volume fits the claim, and none is made for it: create one, or name a class whose "
            "provisioner makes volumes for these nodes"
        ),
    ),
)
"""By what the scheduler says of volumes and nodes: the cause, and what to do."""


def unbound(case: Case) -> Iterator[Advice]:
    """Claims that are not there, or not bound, or bound where no node reaches them."""
    found = case.kept_out("VolumeBinding")
    for reason in dict.fromkeys(reason for review in found for reason in review.reasons):
        for words, about, text in _BINDING:
            if any(word in reason for word in words):
                yield Advice(about, text.format(reason=reason), places(found))
                break


def full_of_volumes(case: Case) -> Iterator[Advice]:
    """Nodes that take no further volume, pods that may not share one, and zones."""
    alone = "A ReadWriteOncePod claim is for one pod at a time"
    first = f"{alone}: let the old pod go first, with strategy Recreate"
    another = f"{alone}: run one replica of one workload with it, or use a claim with ReadWriteOnce"
    for plugin, about, text, repair in (
        ("NodeVolumeLimits", "too many volumes", "Nodes hold all volumes they can: add one", None),
        (
            "VolumeRestrictions",
            "one pod at a time",
            first if case.rolling else another,
            Repair.RECREATE if case.rolling else None,
        ),
        (
            "VolumeZone",
            "zone of a volume",
            "The volume is in a zone of which no node can take the pod: add a node there",
            None,
        ),
    ):
        found = case.kept_out(plugin)
        if found:
            yield Advice(about, text, places(found), repair)
