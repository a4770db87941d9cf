"""From objects, a cluster and events to systems that can be explored."""

from .build import Application, Scenario, build
from .consistency import Misplaced, check_findings, deployment_findings
from .custom import (
    Kept,
    Loaded,
    cluster_scoped,
    kept_objects,
    known_kinds,
    used_documents,
    without_kept,
)

__all__ = [
    "Application",
    "Kept",
    "Loaded",
    "Misplaced",
    "Scenario",
    "build",
    "check_findings",
    "cluster_scoped",
    "deployment_findings",
    "kept_objects",
    "known_kinds",
    "used_documents",
    "without_kept",
]
