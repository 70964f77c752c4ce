"""The commands of ``python -m conformance``: what they print and write, as functions."""
