"""Whether workloads can be placed on a cluster: the one function to call.

What it needs is loaded when it is called: numpy, scipy and Z3 take their time.
"""

from __future__ import annotations

from collections.abc import Sequence

from .decision import Decision, Effort
from .problem import Cluster, Problem, Question, Workload

DEFAULT = Effort()


def decide(
    cluster: Cluster,
    workloads: Sequence[Workload],
    question: Question = Question.FINAL,
    effort: Effort = DEFAULT,
) -> Decision:
    """Whether all pods of the workloads can be placed on the cluster, with what proves it.

    Pods of the cluster stay where they are. Amounts are exact; see ``Decision`` for what comes with
    each answer, and ``ladder`` for how it is found.

    Raises:
        ValueError: an amount is too large to be added up exactly, or an existing pod lies on a node
            that is not in the cluster; the message names it.
    """
    from .ladder import answer  # noqa: PLC0415 (heavy)

    return answer(Problem(cluster, tuple(workloads)), question, effort)
