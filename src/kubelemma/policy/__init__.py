"""What somebody has decided about findings before they are found, and what follows from it.

Violations are suppressed by annotations in the manifests (`annotations`) or by a file
(`suppressions`), known from a `baseline`, or given another severity; `judge` applies all of it to a
report.
"""

from .annotations import Annotations, read_annotations
from .baseline import Baseline, load_baseline, render_baseline
from .judging import Policy, judge
from .rules import Rule
from .suppressions import Place, load_suppressions

__all__ = [
    "Annotations",
    "Baseline",
    "Place",
    "Policy",
    "Rule",
    "judge",
    "load_baseline",
    "load_suppressions",
    "read_annotations",
    "render_baseline",
]
