"""How hard Hypothesis tries: the same examples on every run, or more and new ones with HYPOTHESIS_PROFILE=long."""

import os

from hypothesis import HealthCheck, settings

# Real homes on a busy machine: how long an example takes says nothing.
_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("same", derandomize=True, deadline=None, print_blob=True, suppress_health_check=_SLOW)
settings.register_profile("long", max_examples=2_000, deadline=None, print_blob=True, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
