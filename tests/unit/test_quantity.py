"""Quantities and integers-or-percentages: what they are worth, what is none, and their laws."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.objects.quantity import IntOrPercent, Quantity

SUFFIXES = ("n", "u", "m", "", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
MILLIS = st.integers(-(10**24), 10**24).map(lambda n: Quantity(Fraction(n, 1000)))
TEXTS = st.builds(
    lambda sign, digits, suffix: f"{sign}{digits}{suffix}",
    st.sampled_from(("", "+", "-")),
    st.from_regex(r"[0-9]{1,12}(\.[0-9]{0,6})?|\.[0-9]{1,6}", fullmatch=True),
    st.sampled_from((*SUFFIXES, "e3", "E-2")),
)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("500m", Fraction(1, 2)),
        ("2", 2),
        ("1.5", Fraction(3, 2)),
        (".5", Fraction(1, 2)),
        ("4Gi", 4 * 2**30),
        ("4G", 4 * 10**9),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1E", 10**18),
        ("-1Ki", -1024),
        ("100n", Fraction(1, 10**7)),
    ],
)
def test_amounts(text: str, amount: Fraction | int) -> None:
    """A quantity is worth what Kubernetes says its unit is worth."""
    assert Quantity.parse(text).amount == amount


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("four", '"four" is not a quantity such as 500m, 2 or 4Gi'),
        ("", '"" is not a quantity such as 500m, 2 or 4Gi'),
        ("64 Mi", '"64 Mi" is not a quantity such as 500m, 2 or 4Gi (a blank inside?)'),
        ("1,5", '"1,5" is not a quantity such as 500m, 2 or 4Gi (a decimal comma?)'),
        ("64MB", '"64MB" has the unknown unit "MB" (Kubernetes units have no B: "64M"?)'),
        ("4gb", '"4gb" has the unknown unit "gb" (Kubernetes units have no B: "4G"?)'),
        ("10GiB", '"10GiB" has the unknown unit "GiB" (Kubernetes units have no B: "10Gi"?)'),
        ("5B", '"5B" has the unknown unit "B" (Kubernetes units have no B: "5"?)'),
        ("4K", '"4K" has the unknown unit "K" ("4k" for thousands, "4Ki" for 1024?)'),
        ("2g", '"2g" has the unknown unit "g" ("2G"?)'),
        ("4gi", '"4gi" has the unknown unit "gi" ("4Gi"?)'),
        ("500mm", '"500mm" has the unknown unit "mm"'),
        ("9" * 500, '"99999999999999999999..." is longer than any quantity'),
    ],
)
def test_no_quantities(text: str, message: str) -> None:
    """What is no quantity is refused, with the likeliest cause."""
    with pytest.raises(ValueError, match=r"quantity|unit") as refused:
        Quantity.parse(text)
    assert str(refused.value) == message


@given(MILLIS)
def test_text_and_back(quantity: Quantity) -> None:
    """A quantity of whole thousandths is read back from its text unchanged."""
    assert Quantity.parse(str(quantity)) == quantity
    assert hash(Quantity.parse(str(quantity))) == hash(quantity)


@given(TEXTS)
def test_rounded_up(text: str) -> None:
    """Whole units and thousandths are the least ones that are enough."""
    quantity = Quantity.parse(text)
    assert quantity.value() - 1 < quantity.amount <= quantity.value()
    assert quantity.milli_value() - 1 < quantity.amount * 1000 <= quantity.milli_value()


@given(TEXTS, TEXTS)
def test_equal_by_amount(one: str, other: str) -> None:
    """Quantities are equal exactly where their amounts are, however they are written."""
    left, right = Quantity.parse(one), Quantity.parse(other)
    assert (left == right) == (left.amount == right.amount)


@given(st.text(max_size=12))
def test_any_text(text: str) -> None:
    """Any text is a quantity or refused with the text in the message."""
    try:
        quantity = Quantity.parse(text)
    except ValueError as refused:
        assert f'"{text}"' in str(refused)  # noqa: PT017  # most texts are refused, some are not
    else:
        assert isinstance(quantity.amount, Fraction)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (
            "25 %",
            '"25 %" is neither an integer nor a percentage (a blank before the percent sign?)',
        ),
        (
            "3",
            '"3" is neither an integer nor a percentage (a quoted number; write 3 without quotes)',
        ),
        ("2.5%", '"2.5%" is neither an integer nor a percentage (fractions are not allowed)'),
        ("-5%", '"-5%" is neither an integer nor a percentage (negative)'),
        ("some", '"some" is neither an integer nor a percentage'),
        (-1, "-1 is negative"),
        (2**31, "2147483648 is more than a 32-bit integer holds"),
    ],
)
def test_no_shares(raw: int | str, message: str) -> None:
    """What is neither a number nor a percentage is refused, with the likeliest cause."""
    with pytest.raises(ValueError, match=r"integer|negative") as refused:
        IntOrPercent.parse(raw)
    assert str(refused.value) == message


@given(st.integers(0, 1000), st.integers(0, 10**6))
def test_shares(percent: int, total: int) -> None:
    """A share is rounded as asked, and both roundings differ by one at most."""
    share = IntOrPercent.parse(f"{percent}%")
    exact = Fraction(percent * total, 100)
    assert share.scaled(total, round_up=True) == ceil(exact)
    assert share.scaled(total, round_up=False) == floor(exact)


@given(st.integers(0, 2**31 - 1), st.integers(0, 10**6))
def test_numbers_do_not_scale(number: int, total: int) -> None:
    """A plain number is itself, whatever the total and the rounding."""
    share = IntOrPercent.parse(number)
    assert share.scaled(total, round_up=True) == share.scaled(total, round_up=False) == number


@given(st.integers(0, 10**6))
def test_shares_and_back(number: int) -> None:
    """A share is read back from its text; a number and a percentage are never equal."""
    absolute, share = IntOrPercent(number), IntOrPercent(number, percent=True)
    assert IntOrPercent.parse(int(str(absolute))) == absolute
    assert IntOrPercent.parse(str(share)) == share != absolute
