"""What a device must do: one module per behaviour, the clauses that it checks, and fixtures of its own."""
