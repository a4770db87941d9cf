"""What all tests share: Hypothesis profiles.

``ci`` is the default, so that a run repeats exactly. ``HYPOTHESIS_PROFILE=explore`` draws new
examples each time, and more of them; a failure it finds belongs into the test as an ``@example``.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
