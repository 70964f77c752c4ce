"""The hub's rules, pure: packets and calls go in, effects come out; time and ids are arguments."""
