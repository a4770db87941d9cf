"""Reports on files and on standard output, from checks and from results that were kept."""

from __future__ import annotations

import hashlib
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import pytest
import yaml

from kubelemma.cli.options import FORMATS
from kubelemma.reports.json import schema

Kubelemma: TypeAlias = Callable[..., Any]

READERS: dict[str, Callable[[str], object]] = {
    "text": lambda text: text.index("\nFAILED: 1 check"),
    "wide": lambda text: text.index("VIOLATED"),
    "json": json.loads,
    "yaml": yaml.safe_load,
    "sarif": json.loads,
    "junit": lambda text: ET.fromstring(text.encode()),  # noqa: S314 - we wrote it
    "markdown": lambda text: text.index("**violated**"),
    "github": lambda text: text.index("::error file=stuck.yaml,line="),
    "html": lambda text: text.index("<!doctype html>"),
}


def test_all_formats_in_one_run(kubelemma: Kubelemma, stuck: str) -> None:
    """One run writes as many reports as are asked for, and each can be read as what it is."""
    assert set(READERS) == set(FORMATS)
    targets = [f"--report={name}=report.{name}" for name in FORMATS]
    run = kubelemma("check", stuck, "--no-save", *targets)
    assert run.code == 1
    for name in FORMATS:
        READERS[name](Path(f"report.{name}").read_text("utf-8"))


@pytest.mark.parametrize("name", FORMATS)
def test_the_exit_code_does_not_depend_on_the_format(
    kubelemma: Kubelemma, stuck: str, name: str
) -> None:
    """Every format on standard output stands alone there, and fails where the check does."""
    run = kubelemma("check", stuck, "--no-save", "-o", name)
    assert (run.code, run.err) == (1, "")
    READERS[name](run.out)


@pytest.mark.parametrize("kept", ["json", "yaml"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_kept_result_gives_the_same_report(
    kubelemma: Kubelemma, stuck: str, kept: str, name: str
) -> None:
    """What ``report`` writes is what the check would have written."""
    targets = (f"--report={kept}=kept", f"--report={name}=direct")
    kubelemma("check", stuck, "--no-save", *targets)
    run = kubelemma("report", "kept", "--format", name, "--output", "again")
    assert (run.code, run.out, run.err) == (0, "", "")
    assert Path("again").read_bytes() == Path("direct").read_bytes()


def test_two_reports_need_two_files(kubelemma: Kubelemma, stuck: str) -> None:
    """A report never replaces another one of the same run."""
    run = kubelemma("check", stuck, "--report", "json=r", "--report", "html=./r")
    assert (run.code, run.out) == (2, "")
    assert 'two reports would be written to "r"' in run.err


@pytest.mark.parametrize("command", ["check", "place"])
def test_a_file_belongs_to_reports(kubelemma: Kubelemma, stuck: str, command: str) -> None:
    """Whoever gives the output a file is told of the option that writes files."""
    run = kubelemma(command, stuck, "-o", "html=report.html")
    assert run.code == 2
    assert "for a file, say --report html=report.html" in run.err


def test_a_result_is_printed_even_where_a_file_fails(kubelemma: Kubelemma, stuck: str) -> None:
    """What was computed is not lost for a report that cannot be written; nor are the others."""
    Path("loop").symlink_to("loop")
    reports = ("--report", "json=loop", "--report", "html=fine.html")
    run = kubelemma("check", stuck, "--no-save", *reports)
    assert run.code == 2
    assert "DEP-4" in run.out
    assert "loop: Too many levels of symbolic links" in run.err
    assert Path("fine.html").is_file()


def test_what_repeats_a_check_writes_no_reports(kubelemma: Kubelemma, stuck: str) -> None:
    """The command that repeats a story leaves out what only this one run was asked to write."""
    outputs = ("-ojson", "--report=html=a.html", "--report", "text=a.txt")
    found = json.loads(kubelemma("check", stuck, "--no-save", *outputs).out)
    traces = [p["trace"] for s in found["scenarios"] for p in s["properties"] if "trace" in p]
    assert {tuple(trace["repeat"]) for trace in traces} == {(f"kubelemma check {stuck} --no-save",)}


def test_report_reads_standard_input(kubelemma: Kubelemma, stuck: str) -> None:
    """A result can be piped, and comes out on standard output."""
    kept = kubelemma("check", stuck, "--no-save", "-o", "json").out
    run = kubelemma("report", "-", "--format", "yaml", stdin=kept)
    assert run.code == 0
    assert yaml.safe_load(run.out) == json.loads(kept)


def test_results_fit_the_schema(kubelemma: Kubelemma, stuck: str) -> None:
    """What a real check writes is valid, pictures and places in the input included."""
    data = json.loads(kubelemma("check", stuck, "--property", "all", "--no-save", "-o", "json").out)
    assert list(jsonschema.Draft202012Validator(schema()).iter_errors(data)) == []
    found = {p["id"]: p for p in data["scenarios"][0]["properties"]}
    assert found["DEP-4"]["location"]["file"] == "stuck.yaml"
    assert found["NODE-2"]["location"] == found["DEP-4"]["location"]
    assert found["DEP-4"]["trace"]["picture"]["nodes"]
    assert all("picture" in step for step in found["DEP-4"]["trace"]["steps"])


def test_locations_are_lines_of_the_input(kubelemma: Kubelemma, stuck: str) -> None:
    """The line of a finding is the one at which the object is named."""
    data = json.loads(kubelemma("check", stuck, "--no-save", "-o", "json").out)
    place = data["scenarios"][0]["properties"][0]["location"]
    line = Path("stuck.yaml").read_text("utf-8").splitlines()[place["line"] - 1]
    assert line[place["column"] - 1 :] == "name: web"


def test_a_result_says_when_and_how_it_was_made(
    kubelemma: Kubelemma, stuck: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time, which may be given, the command line, and the files with their digests."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764504000")
    found = json.loads(kubelemma("check", stuck, "--no-save", "-o", "json").out)["occasion"]
    digest = hashlib.sha256(Path(stuck).read_bytes()).hexdigest()
    assert found == {
        "time": "2025-11-30T12:00:00Z",
        "command": ["kubelemma", "check", stuck, "--no-save", "-o", "json"],
        "inputs": [{"file": stuck, "sha256": digest}],
    }
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    page = kubelemma("check", stuck, "--no-save", "-o", "html").out
    assert "<time datetime=" in page
    assert digest in page


def test_standard_input_has_no_digest(kubelemma: Kubelemma, stuck: str) -> None:
    """What is no file is named all the same."""
    text = Path(stuck).read_text("utf-8")
    run = kubelemma("check", "-", "--no-save", "-o", "json", stdin=text)
    assert json.loads(run.out)["occasion"]["inputs"] == [{"file": "<stdin>"}]


def test_standard_input_has_no_file(kubelemma: Kubelemma, documents: tuple[Any, Any]) -> None:
    """An annotation names no file where the manifests came through a pipe."""
    stdin = yaml.safe_dump_all(documents)
    run = kubelemma("check", "-", "--no-save", "-o", "github", stdin=stdin)
    assert run.code == 1
    assert "::error title=DEP-4 is violated::" in run.out
    assert "file=" not in run.out


def test_step_summary(kubelemma: Kubelemma, stuck: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With annotations, the summary of the CI step gets the report, after what is there."""
    summary = Path("summary.md")
    summary.write_text("before\n", "utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    kubelemma("check", stuck, "--no-save", "-q")
    assert summary.read_text("utf-8") == "before\n"
    kubelemma("check", stuck, "--no-save", "-o", "github")
    text = summary.read_text("utf-8")
    assert text.startswith("before\n")
    assert "DEP-4" in text


def test_a_summary_that_cannot_be_written_is_no_failure(
    kubelemma: Kubelemma, stuck: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result stands, and the reason is told."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "absent/summary.md")
    run = kubelemma("check", stuck, "--no-save", "-o", "github")
    assert run.code == 1
    assert "warning: absent/summary.md: No such file" in run.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "kept.json: No such file"),
        (b"\xff\xfe", "kept.json: is not UTF-8 text"),
        (b"{", "kept.json: is neither JSON nor YAML"),
        (b"kind: Deployment", "kept.json: is a document of kind"),
    ],
)
def test_what_is_no_result_is_refused(
    kubelemma: Kubelemma, content: bytes | None, message: str
) -> None:
    """An unreadable result is wrong input, in one sentence."""
    if content is not None:
        Path("kept.json").write_bytes(content)
    run = kubelemma("report", "kept.json", "--format", "html")
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(message)


def test_a_report_that_cannot_be_written(kubelemma: Kubelemma, stuck: str) -> None:
    """The file is named."""
    Path("kept.json").write_text(kubelemma("check", stuck, "--no-save", "-o", "json").out, "utf-8")
    run = kubelemma("report", "kept.json", "--output", "absent/report.txt")
    assert run.code == 2
    assert "absent/report.txt: No such file" in run.err


def test_a_placement_as_a_page(kubelemma: Kubelemma) -> None:
    """``place`` writes its page to standard output, and its exit code stays what it is."""
    example = Path(__file__).resolve().parents[2] / "examples" / "placement-fits"
    run = kubelemma("place", str(example), "-o", "html")
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("<!doctype html>")
    assert "feasible" in run.out
