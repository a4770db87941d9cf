"""Properties that a loaded file declares: a statement and a predicate over objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

from kubelemma.model.cluster.world import World
from kubelemma.model.components.reconcile.actions import ACTIONS
from kubelemma.model.components.reconcile.calling import judged
from kubelemma.model.components.reconcile.declarations import (
    Code,
    DeclarationError,
    code_of,
    kinds_of,
)
from kubelemma.model.components.reconcile.legal import BUILT_IN
from kubelemma.model.components.reconcile.objects import Cluster, find, title
from kubelemma.model.components.reconcile.sources import (
    Custom,
    Source,
    cells_of,
    existing,
    gathered,
    reads_of,
    sources,
)
from kubelemma.model.components.registry import CHANGING
from kubelemma.model.system import View

from .formula import Always, Converges, EachStep, Formula, LeadsTo, NeverStuck
from .statement import Kind, Property, Severity, Statement

Form: TypeAlias = Literal["always", "each step", "never stuck", "converges", "leads to"]
Predicate: TypeAlias = Callable[..., bool | None]
Key: TypeAlias = tuple[str, str]
Declare: TypeAlias = Callable[[Predicate], "CustomProperty"]

_ID = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*")
_KINDS: Mapping[Form, Kind] = {
    "always": Kind.SAFETY,
    "each step": Kind.STEP,
    "never stuck": Kind.LIVENESS,
    "converges": Kind.LIVENESS,
    "leads to": Kind.LIVENESS,
}
EVERYTHING = "the cluster"
"""The subject of a property that is about no kind."""


@dataclass(frozen=True, slots=True)
class CustomProperty:
    """A property as a file declares it.

    Attributes:
        about: the kind that it is asked about, object by object; None for the whole cluster.
        goal: of "leads to", what the premise must lead to.
    """

    statement: Statement
    form: Form
    code: Code
    about: str | None
    reads: tuple[str, ...]
    goal: Code | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """All kinds that it sees."""
        own = (self.about,) if self.about else ()
        return tuple(dict.fromkeys((*own, *self.reads)))


def always(id: str, title: str, **options: Any) -> Declare:  # noqa: A002 - the word of reports
    """Declare that the function never gives False in a reachable state.

    Its docstring is the statement. It takes an object of the kind ``about``, if there is one, and
    the `Cluster`; None says that there is nothing to say. Options are those of `declared`.
    """
    return partial(declared, "always", id, title, **options)


def each_step(id: str, title: str, **options: Any) -> Declare:  # noqa: A002
    """Declare that the function never gives False for a step that changes what it reads.

    It takes the `Cluster` before and after the step; with ``about`` an object before and after the
    step, which must exist, and then these. As `always` otherwise.
    """
    return partial(declared, "each step", id, title, **options)


def never_stuck(id: str, title: str, **options: Any) -> Declare:  # noqa: A002
    """Declare that nobody is left to act only where the function gives True. As `always`."""
    return partial(declared, "never stuck", id, title, **options)


def converges(id: str, title: str, **options: Any) -> Declare:  # noqa: A002
    """Declare that once users and faults stop, the function comes to give True, and stays so.

    As `always` otherwise.
    """
    return partial(declared, "converges", id, title, **options)


def leads_to(id: str, title: str, *, goal: Predicate, **options: Any) -> Declare:  # noqa: A002
    """Declare that whenever the function gives True, ``goal`` does so at once or later.

    Both take the same. As `always` otherwise.
    """
    return partial(declared, "leads to", id, title, goal=goal, **options)


def declared(  # noqa: PLR0913 - a statement has many parts
    form: Form,
    identifier: str,
    title: str,
    predicate: Predicate,
    *,
    about: str | None = None,
    reads: Iterable[str] = (),
    severity: str = Severity.HIGH,
    why: str = "",
    repair: str = "",
    goal: Predicate | None = None,
) -> CustomProperty:
    """A property with its statement.

    Args:
        form: what is asked of the predicate.
        identifier: such as ``SHOP-1``.
        title: the promise in a few words.
        predicate: a function whose docstring is the statement.
        about: the kind that it is asked about, one object at a time.
        reads: the other kinds that it looks at.
        severity: how much a violation matters.
        why: why it matters.
        repair: what to do about a violation.
        goal: of "leads to".

    Raises:
        DeclarationError: something of this makes no sense.
    """
    arguments = _arguments(form, about)
    code = code_of(predicate, arguments)
    if not _ID.fullmatch(identifier):
        message = f'"{identifier}" is no identifier of a property, such as SHOP-1'
        raise DeclarationError(f"{code.name}: {message}")
    if severity not in tuple(Severity):
        options = ", ".join(Severity)
        raise DeclarationError(f'{code.name}: severity is "{severity}", where {options} can be')
    if not code.text:
        raise DeclarationError(f"{code.name} has no docstring: it is what {identifier} promises")
    statement = Statement(
        id=identifier,
        title=_on_one_line(title),
        kind=_KINDS[form],
        severity=Severity(severity),
        statement=code.text,
        why=_on_one_line(why),
        conditions="",
        source=f"{code.file}:{code.line}",
        components=(),
        remediation=_on_one_line(repair)
        or f"It does not say: give {identifier} a repair= where it is declared.",
    )
    wanted = None if goal is None else code_of(goal, arguments)
    return CustomProperty(statement, form, code, about, kinds_of(reads, code), wanted)


def _on_one_line(text: str) -> str:
    """A text without the line breaks and margins that it has in its file."""
    return " ".join(text.split())


def _arguments(form: Form, about: str | None) -> tuple[str, ...]:
    if form == "each step":
        return ("before", "after", *(("cluster before", "cluster after") if about else ()))
    return ("object", "cluster") if about else ("cluster",)


# Over a scenario


def properties_of(
    found: Iterable[CustomProperty], world: World, custom: Custom
) -> Iterator[Property]:
    """The properties as formulas over a scenario, one for each object that they are about.

    Objects that are created later are not asked about.
    """
    for prop in found:
        if prop.about is None:
            yield Property(prop.statement, EVERYTHING, _formula(prop, world, custom, None))
            continue
        for key in _subjects(prop.about, world, custom):
            formula = _formula(prop, world, custom, key)
            yield Property(prop.statement, title(prop.about, *key), formula)


def _subjects(kind: str, world: World, custom: Custom) -> Iterator[Key]:
    if kind in BUILT_IN:
        yield from sorted(existing(world, kind))
    yield from (found.key for found in custom.objects.get(kind, ()))


def _formula(prop: CustomProperty, world: World, custom: Custom, key: Key | None) -> Formula:
    look = _Look(sources(world, prop.kinds), prop.about, key)
    view = View(cells_of(look.found), reads_of(look.found))
    holds = partial(_holds, look, prop.code)
    reached = partial(_reached, look, prop.code)
    match prop.form:
        case "always":
            return Always(view, holds)
        case "each step":
            others = (CHANGING.get(kind, frozenset()) for kind in prop.kinds)
            own = frozenset((*ACTIONS, *(event.action for event in custom.events)))
            return EachStep(view, partial(_keeps, look, prop.code), own.union(*others))
        case "never stuck":
            return NeverStuck(view, reached)
        case "converges":
            return Converges(view, reached)
        case "leads to":
            goal = partial(_reached, look, prop.goal or prop.code)
            return LeadsTo(view, holds, goal)


@dataclass(frozen=True, slots=True)
class _Look:
    """What a predicate is shown of the cells of its view."""

    found: tuple[Source, ...]
    about: str | None
    key: Key | None

    def cluster(self, values: tuple[Any, ...]) -> Cluster:
        """All objects of the kinds that it reads."""
        shown = tuple(s.shown(value) for s, value in zip(self.found, values, strict=True))
        namespace = self.key[0] if self.key else "default"
        return Cluster(gathered(self.found, shown), namespace)

    def arguments(self, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """What its function is called with; None where the object that it is about is gone."""
        cluster = self.cluster(values)
        if self.about is None or self.key is None:
            return (cluster,)
        subject = find(cluster.all(self.about), self.key)
        return None if subject is None else (subject, cluster)


def _holds(look: _Look, code: Code, *values: Any) -> bool | None:
    seen = look.arguments(values)
    return None if seen is None else judged(code, *seen)


def _reached(look: _Look, code: Code, *values: Any) -> bool:
    """Nothing is to be reached for an object that is gone, or of which nothing is said."""
    return _holds(look, code, *values) is not False


def _keeps(
    look: _Look, code: Code, before: tuple[Any, ...], _action: str, after: tuple[Any, ...]
) -> bool | None:
    then, now = look.arguments(before), look.arguments(after)
    if then is None or now is None or then == now:
        return None
    pairs = zip(then, now, strict=True)
    return judged(code, *(seen for pair in pairs for seen in pair))
