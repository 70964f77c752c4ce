"""What a hub must do: a module per behaviour, the clauses, and the fixtures that only these tests use."""
