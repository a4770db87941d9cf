"""CSIStorageCapacity.

Source: ``staging/src/k8s.io/api/storage/v1/types.go``.
"""

from __future__ import annotations

from kubelemma.model.objects.storage import CSIStorageCapacity

from .kind import Kind, Use

KIND = Kind(
    CSIStorageCapacity,
    "storage.k8s.io/v1",
    check=Use(),
    placement=Use(),
)
