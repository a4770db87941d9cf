"""The one door to numba, of whose options some are not in its published types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")

_INNER: dict[str, Any] = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_OUTER: dict[str, Any] = {"_nrt": False, "cache": True}


def entry(function: Callable[P, R]) -> Callable[P, R]:
    """The function in machine code, compiled when first called and kept on disk.

    Without numba's memory management it may allocate nothing, and counts no references.
    """
    return cast("Callable[P, R]", njit(**_OUTER)(function))


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The same for what is called by compiled functions only, which spares the way in."""
    return cast("Callable[P, R]", njit(**_INNER)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """The same, put into its callers: where a call with all its arrays would take longer."""
    return cast("Callable[P, R]", njit(forceinline=True, **_INNER)(function))
