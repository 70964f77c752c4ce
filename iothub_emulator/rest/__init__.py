"""The service's REST interface: identities for back ends."""
