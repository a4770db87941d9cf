"""CSINode.

Source: ``staging/src/k8s.io/api/storage/v1/types.go``.
"""

from __future__ import annotations

from kubelemma.model.objects.storage import CSINode, CSINodeDriver

from .kind import Kind, Use
from .notes import NO_EFFECT, NOT_PLACING, irrelevant

KIND = Kind(
    CSINode,
    "storage.k8s.io/v1",
    namespaced=False,
    check=Use(fields={CSINodeDriver: irrelevant(NO_EFFECT, "nodeID")}),
    placement=Use(fields={CSINodeDriver: irrelevant(NOT_PLACING, "nodeID")}),
)
