"""The wire: packets and topics, MQTT through paho, literal bytes where paho cannot, over TLS or WebSocket.

`packets`, `decoder` what is on the wire, read by nobody's library · `topics` what they are for ·
`device` an identity that connects · `connection` by paho, `raw` and `raw_websocket` by literal bytes ·
`twin`, `methods` what a device does with them · `reactor` and `channel` below all · `tls` for both sides.
"""
