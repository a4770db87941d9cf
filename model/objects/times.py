"""Timestamps of API objects as integers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

GO_ZERO_TIME = -62_135_596_800
"""Seconds from 1970 to the year 1: an absent timestamp sorts before every other one."""


def seconds(timestamp: str) -> int:
    """Seconds since 1970 of an RFC 3339 timestamp; fractions of a second are cut off.

    Raises:
        ValueError: the text is no such timestamp, or has no time zone.
    """
    moment = datetime.fromisoformat(timestamp)
    if moment.tzinfo is None:
        raise ValueError(f'"{timestamp}" has no time zone')
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
