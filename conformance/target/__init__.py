"""The hub of a run: named, attached to or launched; and whether a run on it can begin."""
