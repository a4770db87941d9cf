"""One sentence for each step."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kubelemma.model.cluster.state import DeploymentState
from kubelemma.model.cluster.world import NODES
from kubelemma.model.scenario import Scenario
from kubelemma.model.scenario.templates import revision_hash
from kubelemma.reports.style import plural
from kubelemma.solver.result import TraceStep

from .cast import Move, node_name, replica_set_name, workload_name
from .custom import told

SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        # Users
        "rollout": "applies a new pod template ({template}) to {deployment}",
        "scale": "scales {deployment} to {replicas}",
        "pause": "pauses {deployment}",
        "resume": "resumes {deployment}",
        "rollback": "rolls {deployment} back to {template}",
        "cordon": "cordons {node}",
        "uncordon": "uncordons {node}",
        "drain": "starts to drain {node}",
        "drain-delete": "deletes {pod} on {node}, draining it",
        "user-delete-pod": "deletes {pod}{where}",
        # Faults
        "node-crash": "{node} crashes",
        "node-return": "{node} boots again",
        "probe-failure": "{pod} on {node} stops being Ready",
        "controller-restart": "the controller manager restarts",
        "api-server-outage": "the API server is out of reach for a while",
        "container-crash": "{pod} on {node} crashes",
        # Controllers
        "create-replicaset": "creates ReplicaSet {set} with spec.replicas {size}",
        "scale-replicaset": "sets spec.replicas of ReplicaSet {set} to {size}",
        "annotate-revision": "makes ReplicaSet {set} the newest revision",
        "delete-replicaset": "deletes ReplicaSet {set}",
        "give-up-sync": "fails to write ReplicaSet {set}, and drops the rest of its sync",
        "decide": "decides to {decision} for ReplicaSet {set}",
        "count-pods": "counts the pods of ReplicaSet {set}",
        "choose-pod": "chooses {pod}{where} to be deleted",
        "choose-pending-pods": "chooses {pod}{where} to be deleted",
        "forget": "starts anew{about}",
        "create-pod": "creates {pod}",
        "delete-pod": "deletes {pod}{where}",
        "write-status": "writes the status of ReplicaSet {set}",
        "bind": "binds {pod} to {node}",
        "admit": "on {node} admits {pod}",
        "reject": "on {node} rejects {pod}",
        "become-ready": "on {node} reports {pod} Ready",
        "become-available": "{pod} on {node} becomes available",
        "finish-termination": "on {node} removes {pod}, which has terminated",
        "node-ready": "on {node} reports the node Ready",
        "node-unknown": "marks {node} Unknown",
        "taint-no-schedule": "taints {node} NoSchedule",
        "taint-no-execute": "taints {node} NoExecute",
        "untaint": "removes the NoExecute taint from {node}",
        "judge-zones": "judges how far each zone is disrupted",
        "know-nodes": "has seen all nodes once after its restart",
        "catch-up": "sees heartbeats again",
        "pod-unready": "marks {pod} on {node} not Ready",
        "evict": "evicts {pod} from {node}",
    }
)


def summary(scenario: Scenario, step: TraceStep, moves: tuple[Move, ...]) -> str:
    """What the step did, to whom; the actor is not named again."""
    action = step.outcome.action
    sentence = told(step)
    if sentence:
        return sentence
    words = {
        "node": _node(scenario, step),
        "pod": ", ".join(move.pod for move in moves) or "a pod",
        "where": _where(moves),
        "about": "",
        **_of_deployment(scenario, step),
    }
    return SENTENCES.get(action, action).format_map(words)


def _where(moves: tuple[Move, ...]) -> str:
    """Where the pods were before the step."""
    places = {move.before.node for move in moves if move.before}
    return "".join(f" on {node}" if node else ", which has no node" for node in sorted(places))


def _node(scenario: Scenario, step: TraceStep) -> str:
    positions = scenario.system.positions[NODES]
    return next((node_name(scenario, p) for p in step.positions if p in positions), "a node")


def _decision(arguments: Mapping[str, object]) -> str:
    for verb in ("create", "delete"):
        if verb in arguments:
            return f"{verb} {plural(int(str(arguments[verb])), 'pod')}"
    return "do nothing"


def _of_deployment(scenario: Scenario, step: TraceStep) -> dict[str, str]:
    """The words about the workload that the step touches, if it touches one."""
    words = dict.fromkeys(("deployment", "set", "size", "template", "replicas", "decision"), "?")
    arguments = dict(step.outcome.arguments)
    for workload in scenario.world.workloads:
        own = {scenario.system.positions[name].start for name in workload.cells}
        if own.intersection(step.positions):
            state: DeploymentState = step.state[scenario.system.positions[workload.cell].start]
            template = int(str(arguments.get("template", state.template)))
            words["deployment"] = workload_name(scenario, workload)
            words["template"] = revision_hash(template)
            words["set"] = replica_set_name(scenario, workload, template)
            words["replicas"] = str(state.replicas)
            words["size"] = str(arguments.get("replicas", state.replicas))
            words["decision"] = _decision(arguments)
            if "template" in arguments:
                words["about"] = f" with ReplicaSet {words['set']}"
    return words
