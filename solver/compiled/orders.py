"""How many states differ from those found by the order within families only, as an exact number.

A single state may stand for more of them than 64 bits hold. So they are counted by their residues
to several primes, and what they are together follows from these.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial, prod

import numpy as np

from .arrays import MODULUS, Long

MOST_BELOW = 2**31
"""Moduli are below this, so that no product of two residues, and no sum of all, leaves 64 bits."""


def moduli(sizes: Sequence[int], states: int) -> Long:
    """The primes by which so many states, with families of these sizes, can be counted.

    A row is: prime; the orders of members that are all different; then, from the column of 2 on,
    the inverse of the factorial of the column's number.
    """
    widest = max(sizes, default=0)
    orders = prod(map(factorial, sizes))
    rows: list[list[int]] = []
    greatest, prime = 1, MOST_BELOW
    while greatest <= orders * states:
        prime = _prime_below(prime)
        greatest *= prime
        inverses = [pow(factorial(k), -1, prime) for k in range(2, widest + 1)]
        rows.append([prime, orders % prime, *inverses])
    return np.array(rows, dtype=np.int64).reshape(len(rows), max(widest + 1, 2))


def together(table: Long, sums: Long) -> int:
    """The number that has these residues."""
    number, product = 0, 1
    for prime, residue in zip(table[:, MODULUS].tolist(), sums.tolist(), strict=True):
        number += product * ((residue - number) * pow(product, -1, prime) % prime)
        product *= prime
    return number


def _prime_below(number: int) -> int:
    """The greatest prime below an odd or even number of 31 bits, or fewer."""
    return next(n for n in range(number - 1, 1, -1) if _is_prime(n))


def _is_prime(number: int) -> bool:
    """By the witnesses that suffice below 3,215,031,751 (Pomerance, Selfridge, Wagstaff, 1980)."""
    if number % 2 == 0:
        return number == 2  # noqa: PLR2004
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_is_witness(number, base, odd, twos) for base in (2, 3, 5, 7) if base < number)


def _is_witness(number: int, base: int, odd: int, twos: int) -> bool:
    """Whether Miller's test by this base lets the number pass as a prime."""
    power = pow(base, odd, number)
    if power in {1, number - 1}:
        return True
    return any((power := power * power % number) == number - 1 for _ in range(twos - 1))
