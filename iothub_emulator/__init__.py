"""An Azure IoT Hub to run against when no other is at hand.

It speaks MQTT 3.1.1 over TLS and WebSocket to devices, and REST and AMQP 1.0 to the back end, as far as the
document "Communicate with your IoT hub using the MQTT protocol" and the service's own protocols say how.

What it does not do: it keeps nothing on disk, enforces no quotas, throttles only where it is told to, and
routes by properties alone, to one custom endpoint. Keys and certificates are new at each start unless options
fix them, and it listens on the loopback address unless told otherwise.
"""
