"""CSIDriver.

Source: ``staging/src/k8s.io/api/storage/v1/types.go``.
"""

from __future__ import annotations

from kubelemma.model.objects.storage import CSIDriver, CSIDriverSpec

from .kind import Kind, Use
from .notes import NOT_PLACING, Note, irrelevant

KIND = Kind(
    CSIDriver,
    "storage.k8s.io/v1",
    namespaced=False,
    check=Use(Note("not modelled", "volumes do not constrain scheduling in the check")),
    placement=Use(
        fields={
            CSIDriverSpec: {
                **irrelevant(NOT_PLACING, "attachRequired", "podInfoOnMount", "fsGroupPolicy"),
                **irrelevant(NOT_PLACING, "volumeLifecycleModes", "tokenRequests", "seLinuxMount"),
                **irrelevant(NOT_PLACING, "requiresRepublish", "serviceAccountTokenInSecrets"),
                **irrelevant(NOT_PLACING, "nodeAllocatableUpdatePeriodSeconds"),
            },
        }
    ),
)
