"""What the tests of components share: recorded runs, and the module beside this that reads them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from recordings import History, history


@pytest.fixture(scope="session")
def histories(traces: Path) -> Callable[[frozenset[str]], Iterator[History]]:
    """Read all recorded runs, with the writes of these kinds."""

    def read(kinds: frozenset[str]) -> Iterator[History]:
        return (history(path, kinds) for path in sorted(traces.glob("*.jsonl.gz")))

    return read
