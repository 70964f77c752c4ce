"""A checkout runs the suite with the plugin of this very checkout."""

pytest_plugins = ["conformance.plugin"]
