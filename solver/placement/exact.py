"""Z3 over whole numbers: complete on a small cluster, and a relaxation on groups of nodes.

Its "no" is believed only after ``certificate`` has proved it again, its "yes" only after the
checker has accepted the placement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import z3  # type: ignore[import-untyped]

from .cells import NOWHERE, Cells, Company, Evenly, Rivals, Volumes
from .problem import Answer

Counts = tuple[tuple[int, ...], ...]
"""Pods by workload and cell."""

_INTERRUPTED = "interrupted from keyboard"
"""Why Z3 does not know, after Ctrl-C."""


def solve(cells: Cells, steps: int) -> tuple[Answer, Counts | None]:
    """Whether the workloads fit on the cells, and where; ``steps`` bounds the work (``rlimit``).

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed meanwhile, which Z3 takes for itself.
    """
    encoding = _Encoding(cells)
    solver = z3.SolverFor("QF_LIA")
    solver.set("random_seed", 0)
    solver.set("rlimit", steps)
    solver.add(encoding.rules())
    answer = solver.check()
    if answer == z3.unknown and solver.reason_unknown() == _INTERRUPTED:
        raise KeyboardInterrupt
    if answer == z3.sat:
        return Answer.YES, encoding.read(solver.model())
    return (Answer.NO if answer == z3.unsat else Answer.UNKNOWN), None


class _Encoding:
    """One integer for each workload and cell that may take its pods."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.x: list[list[Any]] = [
            [z3.Int(f"x_{w}_{c}") if most else None for c, most in enumerate(row)]
            for w, row in enumerate(cells.most)
        ]

    def read(self, model: Any) -> Counts:
        def value(variable: Any) -> int:
            if variable is None:
                return 0
            return int(model.eval(variable, model_completion=True).as_long())

        return tuple(tuple(map(value, row)) for row in self.x)

    def rules(self) -> list[Any]:
        found = self._room()
        for rivals in self.cells.rivals:
            found += self._apart(rivals)
        for volumes in self.cells.volumes:
            found += self._volumes(volumes)
        for w, evenly in enumerate(self.cells.evenly):
            for number, constraint in enumerate(evenly):
                found += self._spread(w, number, constraint)
        for w, company in enumerate(self.cells.company):
            if company is not None:
                found += self._near(w, company)
        return found

    def _total(self, workloads: Sequence[int], where: Sequence[int]) -> Any:
        """The pods of these workloads on these cells."""
        terms = [self.x[w][c] for w in workloads for c in where if self.x[w][c] is not None]
        return z3.Sum(terms) if terms else z3.IntVal(0)

    def _room(self) -> list[Any]:
        cells, found = self.cells, []
        for w, count in enumerate(cells.count):
            found.append(self._total((w,), range(len(cells.free))) == count)
            for c, most in enumerate(cells.most[w]):
                if most:
                    found += [self.x[w][c] >= 0, self.x[w][c] <= most]
        for c, free in enumerate(cells.free):
            for r, amount in enumerate(free):
                terms = [
                    cells.request[w][r] * row[c]
                    for w, row in enumerate(self.x)
                    if row[c] is not None and cells.request[w][r]
                ]
                if terms:
                    found.append(z3.Sum(terms) <= amount)
        return found

    def _domains(self, domain: Sequence[int]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for c, d in enumerate(domain):
            if d != NOWHERE:
                found.setdefault(d, []).append(c)
        return found

    def _apart(self, rivals: Rivals) -> list[Any]:
        found = []
        for where in self._domains(rivals.domain).values():
            left = self._total((rivals.left,), where)
            if rivals.left == rivals.right:
                found.append(left <= 1)
            else:
                right = self._total((rivals.right,), where)
                found.append(z3.Or(left == 0, right == 0))
        return found

    def _volumes(self, volumes: Volumes) -> list[Any]:
        found = []
        for c, slots in enumerate(volumes.slots):
            new = [
                z3.If(self._total(users, (c,)) > 0, 1, 0)
                for users, there in zip(volumes.users, volumes.there, strict=True)
                if not there[c]
            ]
            if new:
                total = z3.Sum(new)
                found.append(z3.Or(total == 0, total <= slots))
        return found

    def _spread(self, w: int, number: int, evenly: Evenly) -> list[Any]:
        domains = self._domains(evenly.domain)
        least = z3.Int(f"least_{w}_{number}") if evenly.floor else z3.IntVal(0)
        found = []
        for d, there in enumerate(evenly.existing):
            where = domains.get(d, [])
            count = there + self._total(evenly.members, where)
            if evenly.floor:
                found.append(count >= least)
            own = self._total((w,), where)
            found.append(z3.Or(own == 0, count - least <= evenly.skew))
        return found

    def _near(self, w: int, company: Company) -> list[Any]:
        own = int(company.itself)
        keyed = [c for c, seen in enumerate(company.keyed) if seen]
        alone = z3.BoolVal(val=False)
        if company.itself and not company.anywhere:
            alone = self._total(company.members, keyed) == 1
        by_term = [self._domains(domain) for domain in company.domains]
        found = []
        for c, variable in enumerate(self.x[w]):
            if variable is None:
                continue
            beside = [
                self._total(company.members, by_term[t].get(domain[c], [])) > own
                for t, domain in enumerate(company.domains)
                if not company.there[t][c]
            ]
            found.append(z3.Or(variable == 0, alone, z3.And(beside)))
        return found
