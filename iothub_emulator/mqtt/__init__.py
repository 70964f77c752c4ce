"""MQTT 3.1.1: packets, decoder, encoder, and the endpoint that joins them to the hub."""
