"""How hypothesis tries examples, here and in CI."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# No timing is asserted: a machine may be busy. What stops a merge in CI stops it each time, so there the examples are always the same;
# whoever runs the tests by hand tries new ones.
settings.register_profile(
    "turnup",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("turnup")
