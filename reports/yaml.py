"""The report for programs that read YAML: the data of the JSON report, under the same schema."""

from __future__ import annotations

import json as standard_json

import yaml

from . import json
from .document import Report


def render(report: Report) -> str:
    """The report as one YAML document that ends in a line break."""
    text = json.render(report).encode("utf-8", "replace")
    data = standard_json.loads(text)  # plain strings instead of enumerations
    return yaml.dump(data, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=1000)
