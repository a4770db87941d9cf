"""CSIDriver.

Source: ``staging/src/k8s.io/api/storage/v1/types.go``.
"""

from __future__ import annotations

from kubelemma.model.objects.storage import CSIDriver, CSIDriverSpec

from .kind import Kind, Use
from .notes import NO_EFFECT, NOT_PLACING, irrelevant

_REST = (
    "podInfoOnMount",
    "fsGroupPolicy",
    "volumeLifecycleModes",
    "tokenRequests",
    "seLinuxMount",
    "requiresRepublish",
    "serviceAccountTokenInSecrets",
    "nodeAllocatableUpdatePeriodSeconds",
)

KIND = Kind(
    CSIDriver,
    "storage.k8s.io/v1",
    namespaced=False,
    check=Use(fields={CSIDriverSpec: irrelevant(NO_EFFECT, *_REST)}),
    placement=Use(fields={CSIDriverSpec: irrelevant(NOT_PLACING, "attachRequired", *_REST)}),
)
