"""How much memory the machine has left for this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path("/")
"""Where the files of the system are."""


class _Kind(NamedTuple):
    """A version of control groups: where its groups are, and what their files are called."""

    controllers: str
    folder: str
    limit: str
    usage: str
    reclaimable: str


_KINDS = (
    _Kind("", "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    _Kind(
        "memory",
        "sys/fs/cgroup/memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
)


def available_memory(root: Path = ROOT) -> int | None:
    """The bytes that can be had without swapping, or None where nobody says.

    It is what the kernel calls available, or what the control groups of the process leave where
    that is less: the limit of a container is one of these.
    """
    found = [*_of_the_machine(root), *_of_control_groups(root)]
    return max(0, min(found)) if found else None


def _of_the_machine(root: Path) -> Iterator[int]:
    kibibytes = _field(root / "proc/meminfo", "MemAvailable:")
    if kibibytes is not None:
        yield 1024 * kibibytes


def _of_control_groups(root: Path) -> Iterator[int]:
    """What each group with a limit leaves, from that of the process up to the outermost."""
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        for kind in _KINDS:
            if kind.controllers in controllers.split(","):
                top = root / kind.folder
                own = top / path.strip("/")
                # In a container the path may be that of the host, of which only the top is seen.
                for group in (own, *own.parents):
                    if group == top or top in group.parents:
                        yield from _left(group, kind)


def _left(group: Path, kind: _Kind) -> Iterator[int]:
    """What one group leaves; nothing where it has no limit. File caches count as free."""
    limit, usage = _number(group / kind.limit), _number(group / kind.usage)
    if limit is not None and usage is not None:
        yield limit - usage + (_field(group / "memory.stat", kind.reclaimable) or 0)


def _field(path: Path, name: str) -> int | None:
    """The number after a name, in a file of such lines."""
    for line in _lines(path):
        words = line.split()
        if words and words[0] == name:
            return int(words[1])
    return None


def _number(path: Path) -> int | None:
    """The number that is all of a file; None where there is none, such as in ``max``."""
    content = " ".join(_lines(path))
    return int(content) if content.isdecimal() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except OSError:
        return []
