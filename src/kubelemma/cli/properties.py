"""``kubelemma properties``: what can be promised, and what a promise means."""

from __future__ import annotations

import click

from .session import Session, common_options, width


@click.group()
def properties() -> None:
    """List and explain the properties that are checked."""


@properties.command("list")
@common_options
@click.pass_obj
def list_properties(session: Session) -> None:
    """List all properties."""
    from kubelemma.properties.catalogue import STATEMENTS
    from kubelemma.reports.catalogue_text import listing

    session.print(listing(STATEMENTS.values(), colour=session.colour()))


@properties.command()
@click.argument("identifier", metavar="ID")
@common_options
@click.pass_obj
def explain(session: Session, identifier: str) -> None:
    """Explain the property ID, such as DEP-4."""
    from kubelemma.model.manifests.problems import did_you_mean
    from kubelemma.properties.catalogue import STATEMENTS
    from kubelemma.reports.catalogue_text import explanation

    statement = STATEMENTS.get(identifier.upper())
    if statement is None:
        hint = did_you_mean(identifier, STATEMENTS)
        raise click.UsageError(
            f"there is no property {identifier}{hint}; see kubelemma properties list"
        )
    session.print(explanation(statement, colour=session.colour(), width=width()))
