"""The conformance suite: knows a hub only through its public protocols."""
