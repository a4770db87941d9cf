"""``kubelemma graph``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import completion
from .exit import ExitCode, unless_unread
from .helping import Command
from .options import input_options, question
from .output import write
from .session import Session, common_options
from .warning import warn

if TYPE_CHECKING:
    from kubelemma.question import Case


EXAMPLES = (
    (
        "A picture of everything that can be reached",
        "graph web.yaml --event rollout=web --format dot --output web.dot",
    ),
)


@click.command(cls=Command, examples=EXAMPLES)
@input_options
@click.option(
    "--property",
    "properties",
    multiple=True,
    metavar="ID",
    shell_complete=completion.property_ids,
    help="Mark where this property is violated, such as DEP-4. Repeatable; all by default.",
)
@click.option("--scenario", metavar="NAME", help="The scenario to draw, where there are several.")
@click.option(
    "--max-states",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Leave out what comes after so many states.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("dot", "graphml", "json")),
    default="dot",
    show_default=True,
    help="The format to write.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    shell_complete=completion.files,
    help="Write to this file, not to standard output.",
)
@common_options
@click.pass_obj
def graph(
    session: Session,
    /,
    *,
    scenario: str | None,
    max_states: int,
    form: str,
    output: str | None,
    **given: Any,
) -> ExitCode:
    """Draw the states that can be reached, and how.

    PATH is as for check. Each state stands for all that differ by the names of pods and of equal
    nodes. States that violate a property are red; what was left out is marked. Draw it with
    Graphviz: kubelemma graph web.yaml | dot -Tsvg -o web.svg
    """
    from kubelemma import api
    from kubelemma.reports import state_graph

    asked = api.ask(question(**given))
    warn(session, asked.warnings)
    case = _chosen(asked.cases, scenario)
    drawn = api.state_graph(case, max_states)
    if not drawn.graph["complete"]:
        cut = drawn.graph["cut_states"]
        have = "has" if cut == 1 else "have"
        session.tell(
            f"warning: the graph is not complete: {cut} of its states {have} further steps"
        )
    renderers = {"dot": state_graph.dot, "graphml": state_graph.graphml, "json": state_graph.json}
    text = renderers[form](drawn, case.scenario.name)
    if output is None:
        session.print(text)
    else:
        write(Path(output), text)
    return unless_unread(ExitCode.OK, asked.problems)


def _chosen(cases: tuple[Case, ...], scenario: str | None) -> Case:
    """The one case to draw."""
    fitting = [c for c in cases if scenario is None or c.scenario.name == scenario]
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join(case.scenario.name for case in cases)
    if not fitting:
        verb = "is" if len(cases) == 1 else "are"
        raise click.UsageError(f'there is no scenario "{scenario}"; there {verb} {known}')
    raise click.UsageError(
        f"a graph shows one scenario, and there are {len(fitting)}: {known}; "
        "choose by --scenario or --workload"
    )
