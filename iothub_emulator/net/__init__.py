"""Listeners: TCP, TLS, HTTPS with WebSocket, CONNECT; they hand streams to the protocols."""
