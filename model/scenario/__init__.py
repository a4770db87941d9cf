"""From objects, a cluster and events to systems that can be explored."""

from .application import Application
from .build import build, cluster_of
from .cluster import Sizing
from .consistency import (
    Misplaced,
    adoptions,
    ambiguous,
    check_findings,
    owner_findings,
    storage_findings,
)
from .custom import (
    Kept,
    Loaded,
    cluster_scoped,
    kept_objects,
    known_kinds,
    used_documents,
    without_kept,
)
from .events import Change
from .interplay import apart
from .questions import QUESTIONS, Asking
from .scenario import Scenario
from .sizes import smaller_sizes, with_replicas
from .static import mirrored, static_findings
from .templates import is_named, key_of, owner_manifests, part_manifests
from .under_way import under_way

__all__ = [
    "QUESTIONS",
    "Application",
    "Asking",
    "Change",
    "Kept",
    "Loaded",
    "Misplaced",
    "Scenario",
    "Sizing",
    "adoptions",
    "ambiguous",
    "apart",
    "build",
    "check_findings",
    "cluster_of",
    "cluster_scoped",
    "is_named",
    "kept_objects",
    "key_of",
    "known_kinds",
    "mirrored",
    "owner_findings",
    "owner_manifests",
    "part_manifests",
    "smaller_sizes",
    "static_findings",
    "storage_findings",
    "under_way",
    "used_documents",
    "with_replicas",
    "without_kept",
]
