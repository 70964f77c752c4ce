"""In which ways a test meets the hub: transport, credential, kind of identity, session. Pure."""
