"""The one door to numba, of whose options some are not in its published types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

P = ParamSpec("P")
R = TypeVar("R")

_INNER: dict[str, Any] = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_OUTER: dict[str, Any] = {"_nrt": False, "cache": True, "nogil": True}

_READ, _KEEP, _DATA = 0, 3, 1
"""What ``llvm.prefetch`` is told: to read, to keep near, and that it is no code."""


def entry(function: Callable[P, R]) -> Callable[P, R]:
    """The function in machine code, compiled when first called and kept on disk.

    Without numba's memory management it may allocate nothing, and counts no references. Other
    threads may run while it does.
    """
    return cast("Callable[P, R]", njit(**_OUTER)(function))


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The same for what is called by compiled functions only, which spares the way in."""
    return cast("Callable[P, R]", njit(**_INNER)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """The same, put into its callers: where a call with all its arrays would take longer."""
    return cast("Callable[P, R]", njit(forceinline=True, **_INNER)(function))


@intrinsic
def _prefetch(_context: Any, array: Any, index: Any) -> Any:
    """Bid the processor to bring an entry of a flat array near, as it will be read soon."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        held = context.make_array(kind)(context, builder, arguments[0])
        entry_at = builder.gep(held.data, [arguments[1]])
        byte = cgutils.voidptr_t
        kinds = ir.FunctionType(ir.VoidType(), [byte, *[ir.IntType(32)] * 3])
        told = [cgutils.int32_t(number) for number in (_READ, _KEEP, _DATA)]
        prefetcher: Any = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, kinds, "llvm.prefetch.p0i8"
        )
        builder.call(prefetcher, [builder.bitcast(entry_at, byte), *told])
        return context.get_dummy_value()

    return types.void(array, index), generate


prefetch = cast("Callable[[Any, int], None]", _prefetch)
"""Bid the processor to bring an entry of an array near, as it will be read soon; by flat index."""
