"""The tap: a recording proxy between a device under test and the hub behind it.

It ends the device's TLS with a certificate of its own, writes down each packet of either side, and passes
the bytes on, verbatim, to the hub. What goes wrong on networks, or at a hub, is done here where a case asks.
"""
