"""What Hypothesis may not fail for in these tests."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "patient",
    # A shared machine may stand still in the middle of an example, or while one is made.
    deadline=None,
    # A hub that runs for all examples is what such a fixture holds: it has to stand all of them.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("patient")
