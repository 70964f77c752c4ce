"""The device under test: how it is started, what it is told, how it ends; and what its adapter says."""
