"""From a system to the smaller ones that are searched in its place, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from kubelemma.model.system import System, View
from kubelemma.properties.formula import Always
from kubelemma.properties.statement import Kind, Property, Severity, Statement
from kubelemma.solver.explore import check
from kubelemma.solver.limits import Limits
from kubelemma.solver.result import CheckResult, PropertyResult, Trace, Verdict

from .bagged import Full, Looked, Refused, bagged_of
from .pooled_properties import name_of, pooled_property
from .pooling import Pool, enough_slots, pool
from .slicing import slices, stutters
from .smaller import Smaller
from .speaking import silence
from .splitting import Concerned, Learned, Split, fields_of, split, watch_name

LEARNING = 500
"""So many states are looked at to learn who is about what, before anything is searched."""
MOST_LEARNED = 300
"""After so many lessons things are taken to have all to do with each other."""

Search = Callable[[System, Sequence[Property]], CheckResult]


@dataclass(frozen=True, slots=True)
class Answered:
    """A smaller system, what was asked of it by number, and what came out.

    After what was asked, it was asked where that has something to say, if that has to be found
    again; whether steps of others might violate it, for properties of steps; and whatever had to be
    seen to the end.
    """

    smaller: Smaller
    asked: Mapping[int, Property]
    speaking: tuple[int, ...]
    beside: tuple[int, ...]
    result: CheckResult

    def answers(self) -> Iterator[tuple[int, PropertyResult]]:
        """What came out for each number; not where steps of others might violate it."""
        own = dict(zip(self.asked, self.result.properties, strict=False))
        spoiled = {
            number
            for number, each in zip(self.beside, self._after(len(self.speaking)), strict=False)
            if each.verdict is not Verdict.HOLDS
        }
        return ((number, each) for number, each in own.items() if number not in spoiled)

    def witness(self, number: int) -> Trace | None:
        """Where a property first has something to say; None if that need not be found again."""
        found = dict(zip(self.speaking, self._after(0), strict=False))
        return found[number].trace if number in found else None

    def _after(self, others: int) -> tuple[PropertyResult, ...]:
        return self.result.properties[len(self.asked) + others :]


@dataclass(frozen=True, slots=True)
class Parted:
    """A pool, and what was searched in its place: itself, or slices of it."""

    pool: Pool
    answered: tuple[Answered, ...]
    split: bool

    @property
    def open(self) -> bool:
        """Whether something may come up, where a search did not end, that others are about."""
        return self.split and not all(a.result.statistics.exhaustive for a in self.answered)


class Parting:
    """The search of a pool, begun again whenever it turns out to rest on what is not so."""

    def __init__(
        self, system: System, properties: Sequence[Property], search: Search, *, slicing: bool
    ) -> None:
        self._system, self._properties, self._search = system, properties, search
        self._slots = enough_slots(system, bagged_of(system))
        self._looking: set[int] = set()
        self._learned, self._lessons = Learned(), 0
        self._slicing = slicing
        self._fields: list[str] | None = None if slicing else []

    def searched(self) -> Parted:
        """What comes out.

        Raises:
            Refused: the system cannot be pooled, or no property can be asked of a pool.
        """
        while True:
            try:
                return self._try()
            except Full:
                self._slots *= 2
            except Concerned as concerned:
                self._learn(concerned.learned)
            except Looked as looked:
                self._leave_out(looked)

    def _try(self) -> Parted:
        made = pool(self._system, self._slots)
        asked = dict(self._askable(made))
        if self._properties and not asked:
            raise Refused("all that is asked looks at what is beside each other")
        if self._fields is None:
            self._fields = list(fields_of(made))
        base = self._split(made)
        if not (self._slicing and asked):
            return Parted(made, (self._answered(made, base, asked, {}, ()),), split=False)
        guards = _guards(base)
        numbers, all_asked = tuple(asked), (*asked.values(), *guards)
        answered = []
        for part in slices(base, all_asked):
            own = {numbers[at]: all_asked[at] for at in part.asked if at < len(numbers)}
            seen = [all_asked[at] for at in part.asked if at >= len(numbers)]
            apart = len(part.system.rules) < len(base.system.rules)
            others = {n: found for n, p in own.items() if apart and (found := stutters(p))}
            answered.append(self._answered(made, part, own, others, seen))
        return Parted(made, tuple(answered), split=bool(guards))

    def _answered(
        self,
        made: Pool,
        smaller: Smaller,
        asked: Mapping[int, Property],
        others: Mapping[int, Property],
        seen: Sequence[Property],
    ) -> Answered:
        silent = {n: silence(p) for n, p in asked.items()} if made.may_do_more else {}
        properties = (*asked.values(), *silent.values(), *others.values(), *seen)
        found = self._search(smaller.system, properties)
        return Answered(smaller, asked, tuple(silent), tuple(others), found)

    def _askable(self, made: Pool) -> Iterator[tuple[int, Property]]:
        for number, prop in enumerate(self._properties):
            with suppress(Refused):
                if number not in self._looking:
                    yield number, pooled_property(made, prop)

    def _split(self, made: Pool) -> Smaller:
        """The pool, split by the first field that has a use."""
        while self._fields:
            try:
                found = split(made, self._fields[0], self._learned)
                check(found.system, (), Limits(max_states=LEARNING))
            except Refused:
                self._forget()
            else:
                return found
        return made

    def _learn(self, learned: Learned) -> None:
        self._learned = self._learned.with_more(learned)
        self._lessons += 1
        if self._lessons > MOST_LEARNED:
            self._forget()

    def _forget(self) -> None:
        """Try another field."""
        self._learned, self._lessons = Learned(), 0
        self._fields = (self._fields or [])[1:]

    def _leave_out(self, looked: Looked) -> None:
        """Ask a property no more that looks at members; what else looks keeps the system whole."""
        names = {number: name_of(prop) for number, prop in enumerate(self._properties)}
        found = {number for number, name in names.items() if name == looked.who}
        if not found or found <= self._looking:
            raise looked
        self._looking |= found


def _guards(base: Smaller) -> tuple[Property, ...]:
    """Something that is asked of each part, so that all its things come up: never violated."""
    parts = len(base.parts) if isinstance(base, Split) else 0
    return tuple(
        Property(_SEEN, watch_name(part), Always(View(reads=(watch_name(part),)), _nothing))
        for part in range(parts)
    )


def _nothing(_seen: tuple[int, ...]) -> None:
    return None


_SEEN = Statement(
    id="SEEN",
    title="All things come up",
    kind=Kind.SAFETY,
    severity=Severity.LOW,
    statement="",
    why="",
    conditions="",
    source="",
    components=(),
    remediation="",
)
