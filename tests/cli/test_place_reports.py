"""What ``kubelemma place`` gives to those who read findings: SARIF, JUnit XML and Markdown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from kubelemma.cli.exit import ExitCode
from kubelemma.reports import placement_markdown
from kubelemma.reports.markdown import LONGEST

Kubelemma: TypeAlias = Callable[..., Any]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PREEMPTION = str(EXAMPLES / "placement-preemption")
FITS = str(EXAMPLES / "placement-fits")
SHORT = str(EXAMPLES / "placement-does-not-fit")
ASKED = [
    (FITS,),
    (FITS, "--survive", "1"),
    (FITS, "--survive-zone"),
    (SHORT,),
    (SHORT, "--how-many", "cache"),
    (PREEMPTION,),
    (PREEMPTION, "--why", "shop"),
    (str(EXAMPLES / "placement-spread-109364"), "--reachable"),
    (str(EXAMPLES / "placement-spread-109364"), "--any-order", "--time-limit", "0.001s"),
]


@pytest.mark.parametrize("asked", ASKED)
def test_findings_say_what_the_exit_code_says(
    kubelemma: Kubelemma, sarif_validator: jsonschema.Draft4Validator, asked: tuple[str, ...]
) -> None:
    """There is an error, a failure and a cross exactly if something is infeasible."""
    code = kubelemma("place", *asked).code
    log = json.loads(kubelemma("place", *asked, "-o", "sarif").out)
    assert list(sarif_validator.iter_errors(log)) == []
    levels = {(r["kind"], r["level"]) for r in log["runs"][0]["results"]}
    assert (("fail", "error") in levels) == (code == ExitCode.VIOLATED)
    assert code != ExitCode.INCONCLUSIVE or ("open", "none") in levels
    suites = ET.fromstring(kubelemma("place", *asked, "-o", "junit").out)  # noqa: S314 - our own
    assert (suites.get("failures") != "0") == (code == ExitCode.VIOLATED)
    assert (suites.get("errors") != "0") >= (code == ExitCode.INCONCLUSIVE)
    assert suites.get("tests") == str(len(suites.findall("*/testcase")))
    text = kubelemma("place", *asked, "-o", "markdown").out
    sign = {ExitCode.OK: "✅", ExitCode.VIOLATED: "❌", ExitCode.INCONCLUSIVE: "⚠️"}[code]
    assert text.startswith(f"{placement_markdown.MARKER}\n\n### {sign} kubelemma place: ")
    assert len(text) <= LONGEST
    assert text.count("<details>") == text.count("</details>")


def test_findings_lie_in_files(kubelemma: Kubelemma) -> None:
    """Who is pending, and who has to go, is pointed to where it is written."""
    path = Path(PREEMPTION) / "cluster.yaml"
    lines = path.read_text("utf-8").splitlines()
    log = json.loads(kubelemma("place", str(path), "-o", "sarif").out)
    found = {r["ruleId"]: r for r in log["runs"][0]["results"]}
    assert set(found) == {"place/pending", "place/preempted"}
    for rule, kind in (("place/pending", "ReplicaSet"), ("place/preempted", "Pod")):
        (location,) = found[rule]["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uri"].endswith("placement-preemption/cluster.yaml")
        assert f"kind: {kind}" in lines[place["region"]["startLine"] - 1 :][:3]
    suites = ET.fromstring(kubelemma("place", str(path), "-o", "junit").out)  # noqa: S314 - our own
    files = {case.get("file", "") for case in suites.iter("testcase")}
    assert any(file.endswith("cluster.yaml") for file in files)


def test_fingerprints_stay(kubelemma: Kubelemma) -> None:
    """A finding is the same one whatever the numbers in its sentence are."""

    def prints(*options: str) -> list[str]:
        log = json.loads(kubelemma("place", SHORT, *options, "-o", "sarif").out)
        return [r["partialFingerprints"]["kubelemma/v1"] for r in log["runs"][0]["results"]]

    assert prints() == prints("--scale", "cache=5")
    assert prints() != prints("--scale", "cache=3")


def test_reports_in_files(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """The same as files, from one run."""
    forms = ("sarif", "junit", "markdown")
    kubelemma("place", SHORT, *(f"--report={form}={tmp_path / form}" for form in forms))
    for form in forms:
        text = (tmp_path / form).read_text("utf-8")
        assert text == kubelemma("place", SHORT, "-o", form).out


def test_long_reports_are_shortened(kubelemma: Kubelemma) -> None:
    """A comment of many workloads has as many rows as it may."""
    pod = {"spec": {"containers": [{"name": "c", "image": "c"}], "nodeSelector": {"no": "where"}}}
    items = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"pod-{i}-{'x' * 40}", "namespace": "y" * 60},
            **pod,
        }
        for i in range(400)
    ]
    stdin = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    text = kubelemma("place", "-", "--nodes=count=1,cpu=1", "-o", "markdown", stdin=stdin).out
    assert len(text) <= LONGEST
    assert "and 200 more" in text or "and 350 more" in text
