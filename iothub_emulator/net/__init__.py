"""Listeners: TCP and TLS; they hand streams to the protocols."""
