"""Versions of Kubernetes, and what their feature gates and repairs change for a verdict.

A gate, or a repair that came with a release, is data: from which release on it is on or off where
nobody says otherwise. A world carries a `Version`, and whoever behaves differently asks it
``on(name)``.

Source: pkg/features/kube_features.go, staging/src/k8s.io/apiserver/pkg/features/kube_features.go
and staging/src/k8s.io/client-go/features/known_features.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

_TEXT = re.compile(r"v?([0-9]{1,4})\.([0-9]{1,4})(?:\.([0-9]{1,4})(?:[-+][0-9A-Za-z.+-]+)?)?")
"""What follows a patch says who built it (``1.35.3-gke.100``), or that it is not released yet."""


class Release(NamedTuple):
    """One release, such as 1.35.6."""

    major: int
    minor: int
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.minor_version}.{self.patch}"

    @property
    def minor_version(self) -> str:
        """Its minor version, such as 1.35."""
        return f"{self.major}.{self.minor}"


class Treatment(Enum):
    """What the model makes of a gate."""

    ASKED = "asked"
    """Some rule or check asks whether it is on."""
    BUILT_IN = "built in"
    """The model behaves as with its default in all versions that it has."""
    NOT_MODELLED = "not modelled"
    """What it is about is no part of the model, on or off."""


class Gate(NamedTuple):
    """A feature gate or a repair.

    ``since`` has the releases from which on a default holds, oldest first; before all of them it is
    off. ``changes`` says what depends on it.
    """

    since: tuple[tuple[Release, bool], ...]
    treatment: Treatment
    changes: str

    def default(self, release: Release) -> bool:
        """Whether it is on in a release, where nobody says otherwise."""
        return next((on for first, on in reversed(self.since) if release >= first), False)


def _since(minor: int, *, on: bool = True, patch: int = 0) -> tuple[Release, bool]:
    return Release(1, minor, patch), on


_ON = (_since(35),)
"""On in every version that there is here; since when is nobody's question."""
_OFF: tuple[tuple[Release, bool], ...] = ()

GATES: Mapping[str, Gate] = {
    "WatchListClient": Gate(
        _ON, Treatment.BUILT_IN, "the first list of a new process shows what is, not what was"
    ),
    "StaleControllerConsistencyReplicaSet": Gate(
        (_since(36),),
        Treatment.NOT_MODELLED,
        "a controller waits until its cache shows its own last writes",
    ),
    "StaleControllerConsistencyStatefulSet": Gate(
        (_since(36),),
        Treatment.NOT_MODELLED,
        "a controller waits until its cache shows its own last writes",
    ),
    "StaleControllerConsistencyDaemonSet": Gate(
        (_since(36),),
        Treatment.NOT_MODELLED,
        "a controller waits until its cache shows its own last writes",
    ),
    "StaleControllerConsistencyJob": Gate(
        (_since(36),),
        Treatment.NOT_MODELLED,
        "a controller waits until its cache shows its own last writes",
    ),
    "MaxUnavailableStatefulSet": Gate(
        (_since(35), _since(35, patch=4, on=False), _since(37)),
        Treatment.ASKED,
        "a StatefulSet replaces several pods at once",
    ),
    "NodeControllerLeaseCircuitBreaker": Gate(
        (_since(37),),
        Treatment.NOT_MODELLED,
        "a stale cache of Leases no longer marks live nodes Unknown",
    ),
    "DeploymentReplicaSetTerminatingReplicas": Gate(
        _ON, Treatment.NOT_MODELLED, "statuses count pods that terminate"
    ),
    "DeploymentPodReplacementPolicy": Gate(
        _OFF, Treatment.BUILT_IN, "pods that terminate count for maxSurge"
    ),
    "SidecarContainers": Gate(
        _ON, Treatment.BUILT_IN, "init containers that go on running count beside the others"
    ),
    "PodLevelResources": Gate(
        _ON, Treatment.BUILT_IN, "what a pod requests as a whole counts before its containers' sum"
    ),
    "InPlacePodVerticalScaling": Gate(
        _ON, Treatment.BUILT_IN, "of spec, allocated and actual requests the greatest counts"
    ),
    "PodTopologyLabelsAdmission": Gate(
        _ON, Treatment.NOT_MODELLED, "pods bear the zone labels of their node once they are bound"
    ),
    "NominatedNodeNameForExpectation": Gate(
        _ON, Treatment.NOT_MODELLED, "the scheduler writes a nomination before it binds"
    ),
    "SchedulerQueueingHints": Gate(
        _ON, Treatment.BUILT_IN, "a pending pod is tried again once something may have changed"
    ),
    "SchedulerAsyncPreemption": Gate(
        _ON, Treatment.NOT_MODELLED, "victims are deleted while others are scheduled"
    ),
    "SchedulerPopFromBackoffQ": Gate(
        _ON, Treatment.BUILT_IN, "a pending pod may be tried again at any time"
    ),
    "MatchLabelKeysInPodAffinity": Gate(
        _ON, Treatment.BUILT_IN, "an affinity term heeds matchLabelKeys"
    ),
    "MatchLabelKeysInPodTopologySpreadSelectorMerge": Gate(
        _ON, Treatment.BUILT_IN, "the API server writes matchLabelKeys into the pod's selector"
    ),
    "NodeInclusionPolicyInPodTopologySpread": Gate(
        _ON, Treatment.BUILT_IN, "a spread constraint heeds nodeAffinityPolicy, nodeTaintsPolicy"
    ),
    "TaintTolerationComparisonOperators": Gate(
        _OFF, Treatment.ASKED, "tolerations may compare with the operators Gt and Lt"
    ),
    "NodeDeclaredFeatures": Gate(
        _OFF, Treatment.NOT_MODELLED, "the scheduler asks what features a node declares"
    ),
    "GangScheduling": Gate(_OFF, Treatment.BUILT_IN, "pods of a group are scheduled all or none"),
    "GenericWorkload": Gate(_OFF, Treatment.BUILT_IN, "pods may refer to a Workload object"),
}
"""Gates that could change a verdict, by name."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of Kubernetes with the gates that are not as its release has them."""

    release: Release
    changed: tuple[tuple[str, bool], ...] = ()

    def __str__(self) -> str:
        return f"Kubernetes {self.release.minor_version}"

    def on(self, gate: str) -> bool:
        """Whether a gate is on.

        Raises:
            KeyError: there is no such gate in `GATES`.
        """
        return dict(self.changed).get(gate, GATES[gate].default(self.release))


NEWEST = Release(1, 35, 6)
"""The newest release that the model was held against, by recorded runs."""

MODELLED = Version(NEWEST)
"""What is assumed where nobody says."""


def release_of(text: str) -> Release | None:
    """The release that ``1.35``, ``v1.35`` or ``1.35.2`` names; None where the text is no such.

    Without a patch it is the newest one of this minor version that is known here.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    major, minor = int(found[1]), int(found[2])
    if found[3] is not None:
        return Release(major, minor, int(found[3]))
    return NEWEST if (major, minor) == NEWEST[:2] else Release(major, minor)


def version_problem(text: str) -> str | None:
    """What is wrong with a version that somebody asks for; None where it is modelled."""
    release = release_of(text)
    if release is None:
        return f'"{text}" is no version such as {NEWEST.minor_version}'
    if release[:2] != NEWEST[:2]:
        which = "newer" if release > NEWEST else "older"
        return f"{text} is {which} than Kubernetes {NEWEST.minor_version}, which is modelled"
    return None


def version_named(text: str) -> Version:
    """The version of that name, with its gates by default; what is modelled if it is empty.

    Raises:
        ValueError: it is no version that is modelled.
    """
    problem = version_problem(text) if text else None
    if problem:
        raise ValueError(problem)
    release = release_of(text)
    return MODELLED if release is None else Version(release)
