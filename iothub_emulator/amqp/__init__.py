"""AMQP 1.0 as the hub's back end speaks it: codec, connection, and the nodes behind the addresses."""
