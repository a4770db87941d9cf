"""``kubelemma place``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from . import completion
from .exit import ExitCode, unless_unread
from .helping import Command
from .options import (
    NO_KUSTOMIZE,
    STRICT,
    VARIANT,
    Format,
    Target,
    duration,
    targets_of,
    unless_named,
)
from .output import refuse_inputs, write_all
from .session import Session, common_options, say, width
from .warning import warn

if TYPE_CHECKING:
    from kubelemma.placing.answering import Answered
    from kubelemma.placing.asking import Asked
    from kubelemma.reports.placement import PlacementReport
    from kubelemma.reports.placement_text import By

FORMATS = completion.PLACEMENT_FORMATS
_INTERRUPTED = (
    "kubelemma: interrupted before an answer was found; with --time-limit it gives up in time, "
    "and shows the best placement so far"
)


EXAMPLES = (
    (
        "Does all fit, and where?",
        "place deploy/ --nodes count=3,cpu=4,memory=16Gi --by node",
    ),
    (
        "Can this node be drained now?",
        "kubectl get nodes,pods,deployments,daemonsets -A -o json | place - --drain node-3",
    ),
    (
        "Would the loss of any zone be survived?",
        "place cluster.yaml --survive-zone",
    ),
    (
        "Why is this pod pending?",
        "place cluster.yaml --why web-7d4b9-x2x4z",
    ),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("paths", nargs=-1, metavar="[PATH]...", shell_complete=completion.files)
@click.option(
    "-f",
    "--filename",
    "files",
    multiple=True,
    callback=unless_named,
    metavar="FILE|DIR|-",
    shell_complete=completion.files,
    help="Manifests, or the output of kubectl get; - is standard input.",
)
@click.option(
    "--nodes",
    multiple=True,
    metavar="SPEC",
    help="More nodes, such as count=3,cpu=4,memory=16Gi. Repeatable.",
)
@click.option(
    "--namespace", "-n", default="", metavar="NAME", help="The namespace of objects that name none."
)
@NO_KUSTOMIZE
@STRICT
@VARIANT
@click.option(
    "--reschedule",
    is_flag=True,
    help="Let pods that are on nodes move, if a controller would create them again.",
)
@click.option(
    "--no-preemption",
    is_flag=True,
    help="Let no pod be driven out by one of higher priority.",
)
@click.option(
    "--reachable", is_flag=True, help="Ask whether some order of scheduling one by one gets there."
)
@click.option("--any-order", is_flag=True, help="Ask whether every order of scheduling gets there.")
@click.option(
    "--drain",
    multiple=True,
    metavar="NODE|KEY=VALUE",
    help="Drain a node, or all with a label: their pods go elsewhere. Repeatable.",
)
@click.option(
    "--cordon",
    multiple=True,
    metavar="NODE|KEY=VALUE",
    help="Let no new pods onto a node, or all with a label. Repeatable.",
)
@click.option(
    "--lose",
    multiple=True,
    metavar="NODE|KEY=VALUE",
    help="Lose a node, or all with a label, such as zone=a, with their pods. Repeatable.",
)
@click.option(
    "--lose-reading",
    "reading",
    type=click.Choice(["gone", "unreachable"]),
    help="What is left of lost nodes: nothing (default), or Nodes that cannot be reached.",
)
@click.option(
    "--survive",
    type=click.IntRange(min=1),
    metavar="N",
    help="Ask whether any N nodes may be lost.",
)
@click.option("--survive-zone", is_flag=True, help="Ask whether any one zone may be lost.")
@click.option(
    "--surge",
    multiple=True,
    metavar="NAME|all",
    help="Roll out a workload, or all: is there room at the worst moment? Repeatable.",
)
@click.option(
    "--scale", multiple=True, metavar="NAME=COUNT", help="Ask for so many replicas. Repeatable."
)
@click.option(
    "--add",
    multiple=True,
    metavar="CLASS=COUNT",
    help="Add nodes of a machine type, or like a node that is there. Repeatable.",
)
@click.option(
    "--machines",
    default="",
    metavar="FILE",
    shell_complete=completion.files,
    help="Machine types (kind: Machines).",
)
@click.option(
    "--fewest-nodes", is_flag=True, help="Ask which nodes to add, as few or as cheap as can be."
)
@click.option(
    "--how-many", default="", metavar="NAME", help="Ask how many more pods of a workload fit."
)
@click.option(
    "--why",
    multiple=True,
    metavar="POD|NAME",
    help="Ask why a pod is where it is, or pending: what each node says. Repeatable.",
)
@click.option(
    "--time-limit",
    "time_limit_seconds",
    metavar="TIME",
    callback=duration,
    help="Give up after so long, such as 90s or 5m.",
)
@click.option(
    "-o",
    "--output",
    type=Format(FORMATS),
    default="text",
    show_default=True,
    help="The format; yaml gives the pods with their nodes, ready for kubectl.",
)
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT=PATH",
    callback=targets_of(FORMATS),
    shell_complete=completion.placement_targets,
    help="Write a report to a file as well. Repeatable.",
)
@click.option(
    "--by",
    type=click.Choice(["workload", "node"]),
    default="workload",
    show_default=True,
    help="Tell for each workload its nodes, or for each node its pods.",
)
@common_options
@click.pass_obj
def place(
    session: Session,
    /,
    *,
    output: str,
    reports: tuple[Target, ...],
    by: By,
    **given: Any,
) -> ExitCode:
    """Find out whether pods fit on a cluster, where, or why not.

    PATH is a file or directory of manifests, or what kubectl get -o yaml (or json) gave of a
    running cluster: Nodes, pods, and workloads. Pods on nodes are load that stays; what workloads
    lack is to be placed. The answer is exact: a complete placement that was checked pod by pod, or
    a proof that there is none.
    """
    from kubelemma.placing.answering import answers

    refuse_inputs(reports, (*given["paths"], *given["files"], given["machines"]))
    asked = _asked(**given)
    try:
        with _working(session):
            found = answers(asked)
    except KeyboardInterrupt:
        say(_INTERRUPTED)
        return ExitCode.INTERRUPTED
    _refuse_several(found, (output, *(target.format for target in reports)))
    warn(session, dict.fromkeys(warning for each in found for warning in each.warnings))
    for each in found:
        text = _rendered(each.report, output, by, colour=session.colour(), columns=width())
        session.print(f"Alternative {each.variant}\n{text}\n" if len(found) > 1 else text)
    report = found[0].report
    write_all((t.path, _rendered(report, t.format, by, colour=False, columns=100)) for t in reports)
    return unless_unread(_exit_code(each.report for each in found), found[0].unread)


def _refuse_several(found: tuple[Answered, ...], formats: tuple[str, ...]) -> None:
    """A document is about one cluster.

    Raises:
        UsageError: there are several alternatives, and a document is asked for.
    """
    names = ", ".join(each.variant for each in found)
    if len(found) > 1 and (set(formats[:1]) - {"text", "wide"} or formats[1:]):
        raise click.UsageError(
            f"a report is about one alternative, and there are {len(found)}: {names}; "
            "choose by --variant"
        )


def _asked(**given: Any) -> Asked:
    """What is asked, from the options.

    Raises:
        UsageError: no input is named, or two questions at once.
    """
    from kubelemma.placing.asking import Asked
    from kubelemma.solver.placement.problem import Question

    paths = (*given.pop("paths"), *given.pop("files"))
    if not paths:
        raise click.UsageError("nothing to place: name files or directories, or - for input")
    reachable, any_order = given.pop("reachable"), given.pop("any_order")
    if reachable and any_order:
        raise click.UsageError("--reachable and --any-order are two questions: ask one of them")
    question = Question.REACHABLE if reachable else Question.FINAL
    question = Question.ANY_ORDER if any_order else question
    stdin = sys.stdin.buffer.read() if "-" in paths else b""
    given["kustomize"] = not given.pop("no_kustomize")
    given["preemption"] = not given.pop("no_preemption")
    return Asked(paths=paths, stdin=stdin, question=question, **given)


@contextmanager
def _working(session: Session) -> Iterator[None]:
    """One line at the terminal while something is decided."""
    shown = session.shows_progress()
    if shown:
        click.echo("placing ...", nl=False, err=True)
    try:
        yield
    finally:
        if shown:
            click.echo("\r\x1b[K", nl=False, err=True, color=True)


def _rendered(report: PlacementReport, output: str, by: By, *, colour: bool, columns: int) -> str:
    from kubelemma.reports import placement_json, placement_text

    if output == "html":
        from kubelemma.reports.html import placement

        return placement.render(report)
    if output in ("json", "markdown", "junit", "sarif"):
        render: Callable[[PlacementReport], str] = import_module(
            f"kubelemma.reports.placement_{output}"
        ).render
        return render(report)
    if output == "yaml":
        return placement_json.render_pods(report)
    wide = output == "wide"
    return placement_text.render(report, by=by, wide=wide, colour=colour, width=columns)


def _exit_code(found: Iterable[PlacementReport]) -> ExitCode:
    """The contract: all are feasible, one is infeasible, or else one is not decided."""
    from kubelemma.solver.placement.problem import Answer

    codes = {
        Answer.YES: ExitCode.OK,
        Answer.NO: ExitCode.VIOLATED,
        Answer.UNKNOWN: ExitCode.INCONCLUSIVE,
    }
    reached = {codes[report.answer] for report in found}
    order = (ExitCode.VIOLATED, ExitCode.INCONCLUSIVE)
    return next((code for code in order if code in reached), ExitCode.OK)
