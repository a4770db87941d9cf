"""Pods whose containers have stopped, and after which their kubelet has yet to clean up."""

from __future__ import annotations

from pathlib import Path

from kubelemma import api
from kubelemma.model.cluster.state import NodeState, Phase
from kubelemma.model.components.kubelet.actions import FORCE_DELETE_POD

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def counted(nodes: tuple[NodeState, ...], phase: Phase) -> int:
    """How many pods are in a phase."""
    return sum(g.size for node in nodes for g in node.pods if g.phase == phase)


def test_what_has_ended_does_not_run_on_when_it_is_deleted_by_force() -> None:
    """The API forgets it, and nothing of it runs any more."""
    folder = EXAMPLES / "statefulset-forced-deletion"
    check = (folder / "check.yaml").read_text("utf-8")
    late = "rollout: {workload: web}\n  - lateCleanup: {workload: web}"
    check = check.replace("nodePartition: {}", late)
    text = f"{check}---\n{(folder / 'statefulset.yaml').read_text('utf-8')}"
    (case,) = api.ask(api.Question(paths=("-",), stdin=text)).cases
    system, ended = case.scenario.system, 0
    at = system.positions["nodes"]
    seen, queue = set(system.starts), list(system.starts)
    while queue:
        state = queue.pop()
        for step in system.successors(state):
            before, after = state[at.start : at.stop], step.state[at.start : at.stop]
            if step.outcome.action == FORCE_DELETE_POD:
                gone = counted(before, Phase.ENDED) - counted(after, Phase.ENDED)
                more = counted(after, Phase.LINGERING) - counted(before, Phase.LINGERING)
                assert not (gone and more)
                ended += gone
            if step.state not in seen:
                seen.add(step.state)
                queue.append(step.state)
    assert ended
