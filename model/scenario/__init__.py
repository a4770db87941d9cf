"""From objects, a cluster and events to systems that can be explored."""

from .build import Application, Scenario, build
from .consistency import Misplaced, check_findings, deployment_findings

__all__ = [
    "Application",
    "Misplaced",
    "Scenario",
    "build",
    "check_findings",
    "deployment_findings",
]
