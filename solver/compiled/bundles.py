"""Named tuples of arrays, as numba sees them: passed on as a pointer to all of them.

By itself numba passes each number of each array of such a tuple one by one, from function to
function, and takes tens of seconds to compile what that leads to.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_borrowed
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import (
    NativeValue,
    lower_getattr_generic,
    models,
    register_model,
    typeof_impl,
    unbox,
)
from numba.np.numpy_support import from_dtype

from .arrays import Candidates, Known, States, Work


class Bundle(types.Type):
    """The type of a named tuple of arrays: the names, and the types of the arrays."""

    def __init__(self, name: str, fields: tuple[tuple[str, types.Array], ...]) -> None:
        self.fields = fields
        super().__init__(name=f"Bundle({name})")

    @property
    def key(self) -> Any:
        """What types are equal by."""
        return self.name, self.fields

    def place(self, field: str) -> int:
        """Which of the arrays has this name."""
        return [name for name, _ in self.fields].index(field)


_BUNDLES: dict[type, Bundle] = {}
"""The types met so far: each class has one, whatever the system."""


@typeof_impl.register(Known)
@typeof_impl.register(States)
@typeof_impl.register(Candidates)
@typeof_impl.register(Work)
def _type_of(bundle: Any, _context: Any) -> Bundle:
    fields = tuple(
        (name, types.Array(from_dtype(array.dtype), array.ndim, "C"))
        for name, array in bundle._asdict().items()
    )
    found = Bundle(type(bundle).__name__, fields)
    if _BUNDLES.setdefault(type(bundle), found) != found or not all(map(_is_plain, bundle)):
        raise TypeError(f"arrays of a {type(bundle).__name__} of another kind than those before")
    return found


def _is_plain(array: Any) -> bool:
    return isinstance(array, np.ndarray) and array.flags.c_contiguous and array.flags.writeable


@register_model(Bundle)
class _Model(models.PrimitiveModel):
    """A pointer, of which only `_array` knows to what."""

    def __init__(self, manager: Any, bundle: Bundle) -> None:
        super().__init__(manager, bundle, cgutils.voidptr_t)  # type: ignore[no-untyped-call]


@infer_getattr
class _Attributes(AttributeTemplate):
    key = Bundle

    def generic_resolve(self, bundle: Any, name: str) -> Any:  # type: ignore[override]
        """The type of one of the arrays."""
        return dict(bundle.fields).get(name)


def _memory(context: Any, bundle: Bundle) -> Any:
    """What the pointer points to: all that numba knows of each array, one after the other."""
    return ir.LiteralStructType([context.get_value_type(kind) for _, kind in bundle.fields])


@lower_getattr_generic(Bundle)  # type: ignore[untyped-decorator]
def _array(context: Any, builder: Any, bundle: Bundle, pointer: Any, name: str) -> Any:
    place = bundle.place(name)
    held = builder.bitcast(pointer, _memory(context, bundle).as_pointer())
    loaded = builder.load(cgutils.gep_inbounds(builder, held, 0, place))
    # Nobody writes there while the loop runs, so that it need not be read again after each store.
    loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
    return impl_ret_borrowed(context, builder, bundle.fields[place][1], loaded)


@unbox(Bundle)  # type: ignore[untyped-decorator]
def _unbox(bundle: Bundle, value: Any, c: Any) -> NativeValue:
    memory = cgutils.alloca_once(c.builder, _memory(c.context, bundle))
    wrong = cgutils.false_bit
    for place, (_, kind) in enumerate(bundle.fields):
        array = c.unbox(kind, c.pyapi.tuple_getitem(value, place))
        c.builder.store(array.value, cgutils.gep_inbounds(c.builder, memory, 0, place))
        wrong = c.builder.or_(wrong, array.is_error)
    return NativeValue(c.builder.bitcast(memory, cgutils.voidptr_t), is_error=wrong)
