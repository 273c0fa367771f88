"""Every test may ask for the real servers."""

pytest_plugins = ["rehab_runtime.testing.fixtures"]
