"""From objects, a cluster and events to systems that can be explored."""

from .build import Application, Scenario, build

__all__ = ["Application", "Scenario", "build"]
