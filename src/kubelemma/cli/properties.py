"""``kubelemma properties``: what can be promised, and what a promise means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .completion import property_ids
from .options import LOAD
from .session import Session, common_options, width

if TYPE_CHECKING:
    from kubelemma.properties.statement import Statement


@click.group()
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


@properties.command()
@click.argument("identifier", metavar="ID", shell_complete=property_ids)
@LOAD
@common_options
@click.pass_obj
def explain(session: Session, identifier: str, load: tuple[str, ...]) -> None:
    """Explain the property ID, such as DEP-4."""
    from kubelemma.model.findings import did_you_mean
    from kubelemma.reports.catalogue_text import explanation

    statements = _statements(load)
    statement = statements.get(identifier.upper())
    if statement is None:
        hint = did_you_mean(identifier, statements)
        raise click.UsageError(
            f"there is no property {identifier}{hint}; see kubelemma properties list"
        )
    session.print(explanation(statement, colour=session.colour(), width=width()))


def _statements(load: tuple[str, ...]) -> dict[str, Statement]:
    """All properties by identifier, with those that the files declare."""
    from kubelemma.loading import load_files
    from kubelemma.properties.catalogue import STATEMENTS

    return {**STATEMENTS, **load_files(load).statements}
