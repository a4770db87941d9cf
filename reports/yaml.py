"""The report for programs that read YAML: the data of the JSON report, under the same schema."""

from __future__ import annotations

import json as standard_json

from . import json
from .document import Report
from .plain import as_yaml


def render(report: Report) -> str:
    """The report as one YAML document that ends in a line break."""
    data = standard_json.loads(json.render(report))  # plain strings instead of enumerations
    return as_yaml([data])
