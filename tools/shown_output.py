"""Write what pages show of commands' output again: ``python tools/shown_output.py``.

A block of a page that begins with ``$ kubelemma`` and names a folder of examples/ shows what that
command prints. A line ``...`` stands for what is left out.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

Printed: TypeAlias = Callable[[tuple[str, ...]], str]
"""Gives what ``kubelemma`` prints, by its arguments."""

ROOT = Path(__file__).resolve().parents[1]
CUT = "..."
_BLOCK = re.compile(r"^```(?:text)?\n\$ kubelemma (.*\bexamples/.*)\n((?s:.*?))^```$", re.MULTILINE)


def pages() -> tuple[Path, ...]:
    """All pages that show output."""
    found = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    return tuple(path for path in found if _BLOCK.search(path.read_text("utf-8")))


def refreshed(page: str, printed: Printed) -> str:
    """The text of a page, with the output of its commands as it is now."""

    def again(block: re.Match[str]) -> str:
        begins = block.start(2) - block.start()
        arguments = tuple(shlex.split(block[1], comments=True))
        return f"{block[0][:begins]}{cut(printed(arguments), block[2])}```"

    return _BLOCK.sub(again, page)


def cut(output: str, like: str) -> str:
    """What is shown of an output: parts as long as there were before, with cuts between them.

    The first part begins where the output does, the last one ends where it does, and each one in
    between begins with the line that it began with.
    """
    lines = [line.rstrip() for line in output.splitlines()]
    parts = like.removesuffix("\n").split(f"\n{CUT}\n")
    if len(parts) == 1 and not like.endswith(f"\n{CUT}\n"):
        return "".join(f"{line}\n" for line in lines)
    first, *others = (part.removesuffix(f"\n{CUT}").split("\n") for part in parts)
    shown = [*lines[: len(first)]]
    for number, part in enumerate(others, 1):
        last = number == len(others) and not like.endswith(f"\n{CUT}\n")
        begin = len(lines) - len(part) if last else _index(lines, part[0])
        shown += [CUT, *lines[begin : begin + len(part)]]
    ends = [CUT] if like.endswith(f"\n{CUT}\n") else []
    return "".join(f"{line}\n" for line in [*shown, *ends])


def _index(lines: list[str], line: str) -> int:
    """Where a line is.

    Raises:
        SystemExit: it is not there any more.
    """
    if line not in lines:
        raise SystemExit(f"nothing prints this line any more, with which a part begins: {line}")
    return lines.index(line)


def main() -> None:
    """Write the pages; the commands run where there is nothing but the examples."""
    with TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "examples", Path(folder) / "examples")

        def printed(arguments: tuple[str, ...]) -> str:
            environment = {n: v for n, v in os.environ.items() if not n.startswith("KUBELEMMA_")}
            command = (sys.executable, "-m", "kubelemma", *arguments)
            run = subprocess.run(  # noqa: S603 - the arguments are those of our own pages
                command, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            return run.stdout

        for path in pages():
            path.write_text(refreshed(path.read_text("utf-8"), printed), "utf-8")


if __name__ == "__main__":
    main()
