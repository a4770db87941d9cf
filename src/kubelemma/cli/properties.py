"""``kubelemma properties`` and ``explain``: what can be promised, and what a promise means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .completion import property_ids
from .helping import Command, Group
from .options import LOAD
from .session import Session, common_options, width

if TYPE_CHECKING:
    from kubelemma.properties.statement import Statement


@click.group(cls=Group)
def properties() -> None:
    """List and explain the properties that are checked."""


@properties.command("list")
@LOAD
@common_options
@click.pass_obj
def list_properties(session: Session, load: tuple[str, ...]) -> None:
    """List all properties."""
    from kubelemma.reports.catalogue_text import listing

    session.print(listing(_statements(load).values(), colour=session.colour()))


def explaining(path: str) -> click.Command:
    """The command that explains a property, for where ``path`` is what has to be typed."""

    @click.command("explain", cls=Command, examples=(("What DEP-4 promises", f"{path} DEP-4"),))
    @click.argument("identifier", metavar="ID", shell_complete=property_ids)
    @LOAD
    @common_options
    @click.pass_obj
    def explain(session: Session, identifier: str, load: tuple[str, ...]) -> None:
        """Explain the property ID, such as DEP-4.

        Its promise, why it matters, how it is written and kept, and what to do about a violation.
        kubelemma properties list has all of them; loaded files may bring more.
        """
        from kubelemma.reports.catalogue_text import explanation

        statement = _named(identifier, _statements(load))
        session.print(explanation(statement, colour=session.colour(), width=width()))

    return explain


explain = explaining("explain")
properties.add_command(explaining("properties explain"))


def _named(identifier: str, statements: dict[str, Statement]) -> Statement:
    """The property that is called so, in whatever case.

    Raises:
        UsageError: there is none; the nearest is named.
    """
    from kubelemma.model.findings import did_you_mean

    name = identifier.upper()
    if name not in statements:
        raise click.UsageError(
            f"there is no property {identifier}{did_you_mean(name, statements)}; "
            "kubelemma properties list has all of them"
        )
    return statements[name]


def _statements(load: tuple[str, ...]) -> dict[str, Statement]:
    """All properties by identifier, with those that the files declare."""
    from kubelemma.loading import load_files
    from kubelemma.properties.catalogue import STATEMENTS

    return {**STATEMENTS, **load_files(load).statements}
