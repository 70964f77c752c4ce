"""Values that a hub has to carry unchanged, as data, and how what came is held against them. Pure."""
