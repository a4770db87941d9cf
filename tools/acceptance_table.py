"""Write the table of recorded runs and what is said of them again.

``python tools/acceptance_table.py RUNS`` judges all runs in a folder and writes
``tests/conformance/runs.txt``. It refuses to make the table say less of a run than it says now.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from kubelemma.reports.conformance import Answer, JudgedRun
from kubelemma.runs.acceptance import judge_file

TABLE = Path(__file__).resolve().parents[1] / "tests" / "conformance" / "runs.txt"
RANKS = (Answer.ACCEPTED, Answer.IN_PART, Answer.UNDECIDED, Answer.REFUSED)


def row(run: JudgedRun) -> tuple[str, ...]:
    """The row of a run."""
    refused = run.answer is Answer.REFUSED
    return (run.name, run.answer.value, *((str(len(run.refusals)),) if refused else ()))


def rank(cells: tuple[str, ...]) -> tuple[int, int]:
    """Sorts what comes out better first."""
    return RANKS.index(Answer(cells[1])), int(cells[2]) if len(cells) > 2 else 0  # noqa: PLR2004


def main(folder: str) -> int:
    """Judge, compare, write; gives an exit code."""
    lines = TABLE.read_text("utf-8").splitlines() if TABLE.exists() else []
    before = {cells[0]: cells for cells in (tuple(line.split("\t")) for line in lines)}
    with ProcessPoolExecutor(2) as pool:
        runs = list(pool.map(judge_file, sorted(Path(folder).glob("*.jsonl.gz"))))
    after = [row(run) for run in runs]
    worse = [cells for cells in after if rank(cells) > rank(before.get(cells[0], cells))]
    for cells in worse:
        sys.stderr.write(f"{' '.join(cells)}, where the table says {' '.join(before[cells[0]])}\n")
    if worse:
        return 1
    TABLE.write_text("".join("\t".join(cells) + "\n" for cells in after), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
