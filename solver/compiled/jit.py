"""The one door to numba, of whose options some are not in its published types."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from llvmlite import ir  # type: ignore[import-untyped]
from numba import __version__, njit, types
from numba.core import cgutils
from numba.core.caching import Cache
from numba.extending import intrinsic

P = ParamSpec("P")
R = TypeVar("R")

_INNER: dict[str, Any] = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_OUTER: dict[str, Any] = {"_nrt": False, "nogil": True}

_READ, _KEEP, _DATA = 0, 3, 1
"""What ``llvm.prefetch`` is told: to read, to keep near, and that it is no code."""


_entries: list[Any] = []
"""All that was made by `entry`."""


def entry(function: Callable[P, R]) -> Callable[P, R]:
    """The function in machine code, compiled when first called and kept on disk where it may be.

    Without numba's memory management it may allocate nothing, and counts no references. Other
    threads may run while it does.
    """
    try:
        made: Any = njit(cache=True, **_OUTER)(function)
    except RuntimeError:  # there is no folder that may be written to
        made = njit(**_OUTER)(function)
    else:
        # By itself, numba would not notice that a function was changed which this one calls. The
        # version is compared before anything is unpickled, which may need modules that are gone.
        made._cache._cache_file._version = _version()  # noqa: SLF001
    _entries.append(made)
    return cast("Callable[P, R]", made)


@cache
def _version() -> tuple[str, tuple[tuple[str, int, int], ...]]:
    """What differs when numba or a source of this folder is changed."""
    found = [(path.name, path.stat()) for path in sorted(Path(__file__).parent.glob("*.py"))]
    return __version__, tuple((name, at.st_mtime_ns, at.st_size) for name, at in found)


def _caches() -> list[Any]:
    kept = (made._cache for made in _entries)  # noqa: SLF001
    return [each for each in kept if isinstance(each, Cache)]


def missing() -> bool:
    """Whether some machine code is not on disk yet, but may be kept there."""
    return any(not each._cache_file._load_index() for each in _caches())  # noqa: SLF001


def folders() -> tuple[Path, ...]:
    """Where the machine code is kept: one folder, or none if nothing may be kept."""
    return tuple(sorted({Path(each.cache_path) for each in _caches()}))


def never_called() -> list[str]:
    """The names of those functions that were not compiled, as nobody has called them."""
    return [made.py_func.__name__ for made in _entries if not made.signatures]


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
        prefetcher: Any = cgutils.get_or_insert_function(
            builder.module, kinds, "llvm.prefetch.p0i8"
        )
        builder.call(prefetcher, [builder.bitcast(entry_at, byte), *told])
        return context.get_dummy_value()

    return types.void(array, index), generate


prefetch = cast("Callable[[Any, int], None]", _prefetch)
"""Bid the processor to bring an entry of an array near, as it will be read soon; by flat index."""
