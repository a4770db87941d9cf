"""Suppressions and the baseline, from files to exit codes and every format."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import pytest
import yaml
from junitparser import JUnitXml

from kubelemma.reports.json import schema

Kubelemma: TypeAlias = Callable[..., Any]
Write: TypeAlias = Callable[..., str]
Documents: TypeAlias = tuple[dict[str, Any], dict[str, Any]]

ONLY = ("--property", "DEP-4", "--no-save")


def suppress(*entries: dict[str, str], name: str = ".kubelemma.yaml") -> None:
    """Write a file of suppressions into the working directory."""
    document = {
        "apiVersion": "kubelemma.dev/v1alpha1",
        "kind": "Suppressions",
        "suppressions": [{"reason": "see ADR 7", **entry} for entry in entries],
    }
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")


@pytest.fixture
def annotated(write: Write, documents: Documents) -> Callable[..., str]:
    """The rollout that cannot complete, with annotations on the workload and on the scenario."""
    web, scenario = documents

    def with_annotations(workload: str = "", check: str = "") -> str:
        for document, text in ((web, workload), (scenario, check)):
            if text:
                document["metadata"]["annotations"] = {"kubelemma.dev/ignore": text}
        return write("annotated.yaml", web, scenario)

    return with_annotations


# Suppressions


@pytest.mark.parametrize(
    "given", [{"workload": "DEP-4 -- see ADR 7"}, {"check": "DEP-4 -- see ADR 7"}]
)
def test_annotations(
    kubelemma: Kubelemma, annotated: Callable[..., str], given: dict[str, str]
) -> None:
    """A violation that the manifest or the scenario accepts is shown, and fails nothing."""
    file = annotated(**given)
    run = kubelemma("check", file, *ONLY)
    assert run.code == 0
    assert (
        "\ndoes not count: DEP-4 (suppressed) of 1 subject (-o wide gives the reasons)\n" in run.out
    )
    assert "What happens" not in run.out
    assert run.out.endswith(": 1 suppressed (DEP-4)\n")
    assert kubelemma("check", file, *ONLY, "--no-suppressions").code == 1


def test_annotations_in_wide(kubelemma: Kubelemma, annotated: Callable[..., str]) -> None:
    """Whoever asks for more reads why, and where that is written."""
    file = annotated("DEP-4 -- see ADR 7")
    run = kubelemma("check", file, *ONLY, "-o", "wide")
    assert run.code == 0
    assert "What does not count\n  - DEP-4 is violated for Deployment default/web" in run.out
    assert f"suppressed in {file}:" in run.out
    assert "see ADR 7" in run.out
    assert run.out.endswith("PASSED: of 1 property 1 violated but suppressed (DEP-4)\n")


def test_wide_tells_what_is_suppressed(kubelemma: Kubelemma, annotated: Callable[..., str]) -> None:
    """The story of an accepted violation is there for whoever asks for more."""
    run = kubelemma("check", annotated("DEP-4 -- known"), *ONLY, "-o", "wide")
    assert "What happens" in run.out


def test_a_wrong_annotation(kubelemma: Kubelemma, annotated: Callable[..., str]) -> None:
    """An annotation that names no property is wrong input, at its line."""
    file = annotated("DEP-44 -- known")
    run = kubelemma("check", file, *ONLY)
    assert run.code == 2
    line = (
        Path(file)
        .read_text("utf-8")
        .splitlines()
        .index("    kubelemma.dev/ignore: DEP-44 -- known")
    )
    assert f"{file}:{line + 1}: metadata.annotations[kubelemma.dev/ignore]: there is no" in run.err


def test_annotations_without_effect(
    kubelemma: Kubelemma, write: Write, documents: Documents
) -> None:
    """An annotation that can never matter is a warning; one that does not matter today is none."""
    ignore = {"kubelemma.dev/ignore": "DEP-4 -- known"}
    web, scenario = documents
    web["metadata"]["annotations"] = ignore
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "annotations": ignore}}
    file = write("both.yaml", web, {**node, "status": {"allocatable": {"pods": "9"}}}, scenario)
    run = kubelemma("check", file, "--property", "SCH-1", "--no-save")
    assert run.code == 0
    assert run.err.count("warning") == run.err.count("no property is about a Node") == 1


def test_file_of_suppressions(kubelemma: Kubelemma, stuck: str) -> None:
    """The file is found by its name, is no manifest, and what is stale in it is told."""
    suppress({"id": "DEP-4", "object": "*/web"}, {"id": "DEP-6"})
    asked = ("--property", "DEP-4", "--property", "DEP-6", "--no-save")
    assert ".kubelemma.yaml:7: the suppression" in kubelemma("check", ".", *asked).out
    run = kubelemma("check", ".", *asked, "-o", "wide")
    assert (run.code, run.err) == (0, "")
    assert "suppressed in .kubelemma.yaml:4: see ADR 7" in run.out
    assert ".kubelemma.yaml:7: the suppression of DEP-6 is stale" in run.out
    assert kubelemma("check", stuck, *ONLY, "--no-suppressions").code == 1


def test_the_file_is_found_from_below(
    kubelemma: Kubelemma, stuck: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths in the file are seen from its own folder, wherever the check is started."""
    suppress({"id": "DEP-4", "path": stuck})
    Path("below").mkdir()
    monkeypatch.chdir("below")
    run = kubelemma("check", f"../{stuck}", *ONLY, "-o", "wide")
    assert run.code == 0
    assert "suppressed in ../.kubelemma.yaml:4" in run.out


def test_another_file_of_suppressions(kubelemma: Kubelemma, stuck: str) -> None:
    """An option names another file, which is the only one then."""
    suppress({"id": "DEP-4"})
    suppress({"id": "DEP-6"}, name="strict.yaml")
    assert kubelemma("check", stuck, *ONLY).code == 0
    assert kubelemma("check", stuck, *ONLY, "--suppressions", "strict.yaml").code == 1


@pytest.mark.parametrize(("today", "code"), [("2026-12-31", 0), ("2027-01-01", 1)])
def test_suppressions_expire(kubelemma: Kubelemma, stuck: str, today: str, code: int) -> None:
    """The last day counts; the day after, the violation fails the check again, and that is said."""
    suppress({"id": "DEP-4", "expires": "2026-12-31"})
    run = kubelemma("check", stuck, *ONLY, "--today", today)
    assert run.code == code
    said = "the suppression of DEP-4 expired on 2026-12-31: 1 violation that it covers counts again"
    assert (said in " ".join(run.out.split())) is bool(code)


def test_the_undecided_is_not_suppressed(kubelemma: Kubelemma, stuck: str) -> None:
    """A limit that was hit is inconclusive, whatever is accepted."""
    suppress({"id": "DEP-4"})
    run = kubelemma("check", stuck, *ONLY, "--max-states", "2")
    assert run.code == 3


# The baseline


def test_baseline(kubelemma: Kubelemma, stuck: str, write: Write, documents: Documents) -> None:
    """What is known passes; when it is gone, the baseline can be written again."""
    options = (*ONLY, "--baseline", "base.json")
    assert kubelemma("check", stuck, *options).code == 2
    assert kubelemma("check", stuck, *options, "--write-baseline", "base.json").code == 1
    run = kubelemma("check", stuck, *options)
    assert (run.code, "DEP-4 (known) of 1 subject" in run.out) == (0, True)
    run = kubelemma("check", stuck, *options, "-o", "wide")
    assert run.code == 0
    assert "DEP-4 is violated for Deployment default/web, known from the baseline" in run.out
    assert run.out.endswith("PASSED: of 1 property 1 violated but known (DEP-4)\n")
    web, scenario = documents
    web["spec"]["strategy"]["rollingUpdate"] = {"maxSurge": 0, "maxUnavailable": 1}
    write(stuck, web, scenario)
    run = kubelemma("check", stuck, *options, "--write-baseline", "base.json")
    assert run.code == 0
    assert "base.json: 1 of 1 finding is gone" in run.out
    assert json.loads(Path("base.json").read_text("utf-8"))["findings"] == []


def test_new_findings_fail(kubelemma: Kubelemma, stuck: str) -> None:
    """What the baseline does not list counts; an earlier result is a baseline as well."""
    kubelemma("check", stuck, *ONLY, "--report", "json=result.json")
    more = ("--property", "STUCK", "--baseline", "result.json")
    run = kubelemma("check", stuck, *ONLY, *more, "-o", "wide")
    assert run.code == 1
    assert run.out.endswith(
        "FAILED: of 2 properties 1 violated (STUCK), 1 violated but known (DEP-4)\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--baseline", "absent.json"), "absent.json: No such file"),
        (("--baseline", "stuck.yaml"), "stuck.yaml: expected one document of kind Baseline"),
        (("--suppressions", "stuck.yaml"), "stuck.yaml: expected one document of kind Suppr"),
        (("--suppressions", "x", "--no-suppressions"), "contradict each other"),
        (("--today", "tomorrow"), '"tomorrow" is no day such as 2027-01-31'),
        (("--severity", "DEP-4"), '"DEP-4" is not ID=SEVERITY'),
        (("--severity", "DEP-44=low"), 'there is no property "DEP-44"'),
        (("--write-baseline", "absent/base.json"), 'there is no folder "absent"'),
    ],
)
def test_usage(kubelemma: Kubelemma, stuck: str, options: tuple[str, ...], message: str) -> None:
    """Whatever is wrong with files and options is one sentence, and 2."""
    run = kubelemma("check", stuck, *ONLY, *options)
    assert run.code == 2
    assert message in run.err
    assert "Traceback" not in run.err


def test_severity(kubelemma: Kubelemma, stuck: str) -> None:
    """Who finds a violation less severe than the catalogue says so."""
    options = (*ONLY, "--severity", "DEP-4=low")
    run = kubelemma("check", stuck, *options)
    assert run.code == 1
    assert "\nremark: DEP-4 counts as low; the catalogue says critical\n" in run.out
    run = kubelemma("check", stuck, *options, "--fail-on", "medium", "-o", "json")
    assert (run.code, json.loads(run.out)["scenarios"][0]["properties"][0]["severity"]) == (
        0,
        "low",
    )


# Formats


def test_every_format_tells_them_apart(kubelemma: Kubelemma, stuck: str) -> None:
    """Suppressed and known violations are shown in every format, and fail in none."""
    kubelemma("check", stuck, *ONLY, "--write-baseline", "base.json")
    suppress({"id": "STUCK", "expires": "2026-12-31"}, {"id": "DEP-6"})
    forms = ("json", "yaml", "sarif", "junit", "markdown", "github", "html")
    options = ["--baseline", "base.json", "--today", "2026-05-01", "--no-save"]
    for name in ("DEP-4", "STUCK", "DEP-6"):
        options += ["--property", name]
    for form in forms:
        options += ["--report", f"{form}=r.{form}"]
    assert kubelemma("check", stuck, *options).code == 0
    text = {form: Path(f"r.{form}").read_text("utf-8") for form in forms}
    _check_json(json.loads(text["json"]))
    assert yaml.safe_load(text["yaml"]) == json.loads(text["json"])
    _check_sarif(json.loads(text["sarif"])["runs"][0])
    (suite,) = JUnitXml.fromstring(text["junit"].encode())
    assert [case.is_passed for case in suite] == [True, True, True]
    outputs = " ".join(case.system_out or "" for case in suite)
    assert "known from the baseline" in outputs
    assert "suppressed until 2026-12-31 in .kubelemma.yaml:4: see ADR 7" in outputs
    assert "is stale" in text["junit"]
    assert "::notice" not in text["github"]
    assert "1 suppressed (STUCK); 1 known (DEP-4)" in text["github"]
    assert "::warning file=.kubelemma.yaml,line=7" in text["github"]
    for form in ("markdown", "html"):
        assert "known from the baseline" in text[form]
        assert "see ADR 7" in text[form]
        assert "is stale" in text[form]
    again = kubelemma("report", "r.json", "--format", "sarif")
    assert json.loads(again.out) == json.loads(text["sarif"])


def _check_json(data: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema()).validate(data)
    found = {p["id"]: p for p in data["scenarios"][0]["properties"]}
    assert found["DEP-4"]["baseline"] == "unchanged"
    assert found["STUCK"]["suppression"] == {
        "kind": "external",
        "reason": "see ADR 7",
        "location": {"file": ".kubelemma.yaml", "line": 4, "column": 3},
        "expires": "2026-12-31",
    }
    (remark,) = data["remarks"]
    assert remark["location"]["line"] == 7


def _check_sarif(run: dict[str, Any]) -> None:
    known, suppressed = sorted(run["results"], key=lambda r: str(r["ruleId"]))
    assert (known["baselineState"], known["suppressions"]) == ("unchanged", [])
    assert suppressed["baselineState"] == "new"
    (suppression,) = suppressed["suppressions"]
    assert (suppression["kind"], suppression["justification"]) == ("external", "see ADR 7")
    notes = [n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"]]
    assert any("is stale" in note for note in notes)


# The documentation

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "suppressions.md").read_text("utf-8")
BLOCKS = [block.partition("```")[0] for block in PAGE.split("```yaml\n")[1:]]


def test_the_documented_annotations(kubelemma: Kubelemma, annotated: Callable[..., str]) -> None:
    """What the page shows as annotations is taken as such."""
    texts = [yaml.safe_load(textwrap.dedent(block)) for block in BLOCKS[:2]]
    first = texts[0]["metadata"]["annotations"]["kubelemma.dev/ignore"]
    second = texts[1]["kubelemma.dev/ignore"]
    assert kubelemma("check", annotated(first), *ONLY).code == 1
    assert kubelemma("check", annotated(second), *ONLY).code == 0


def test_the_documented_file(kubelemma: Kubelemma, stuck: str) -> None:
    """What the page shows as a file is taken as such."""
    Path(".kubelemma.yaml").write_text(BLOCKS[2], "utf-8")
    run = kubelemma("check", stuck, "--no-save", "--today", "2027-02-01")
    assert run.code == 1
    assert ".kubelemma.yaml:6: the suppression of DEP-4 expired on 2027-01-31" in run.out
