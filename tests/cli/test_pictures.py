"""What pictures show of pods that still run, and of volumes that pods wait for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema

from kubelemma.reports.json import schema

Kubelemma: TypeAlias = Callable[..., Any]

EXAMPLES = Path(__file__).parents[2] / "examples"


def last_picture(kubelemma: Kubelemma, example: str, prop: str) -> dict[str, dict[str, Any]]:
    """The boxes of each kind, by name, after the last step of a counterexample."""
    run = kubelemma("check", str(EXAMPLES / example), "-o", "json", "--no-save", "--no-cache")
    report = json.loads(run.out)
    jsonschema.Draft202012Validator(schema()).validate(report)
    found = next(p for p in report["scenarios"][0]["properties"] if p["id"] == prop)
    trace = found["trace"]
    boxes = {kind: {b["name"]: b for b in here} for kind, here in trace["picture"].items()}
    for step in trace["steps"]:
        for kind, names in step["picture"].get("removed", {}).items():
            for name in names:
                del boxes[kind][name]
        for kind, here in step["picture"].get("changed", {}).items():
            boxes.setdefault(kind, {}).update({box["name"]: box for box in here})
    return boxes


def test_two_of_one_name(kubelemma: Kubelemma) -> None:
    """A pod that was deleted by force and runs is there beside the one that is called like it."""
    pods = last_picture(kubelemma, "statefulset-forced-deletion", "STS-1")["pods"]
    still = pods["default/web-0 (still running)"]
    assert still["phase"] == "lingering"
    assert pods["default/web-0"]["node"] != still["node"]


def test_a_volume_that_is_awaited(kubelemma: Kubelemma) -> None:
    """It is attached to the node of the old pod, and the new pod's node waits for it."""
    (volume,) = last_picture(kubelemma, "rwo-claim-rollout", "DEP-4")["volumes"].values()
    assert (volume["attached"], volume["awaited"]) == (["node-1"], ["node-2"])
