"""Programs that are no devices: ``no_devices.py NAME``. Nothing of them may come out green by accident."""

import os
import socket
import ssl
import sys
import time

FOREVER = 3600


def never_connects():
    """Do nothing."""
    time.sleep(FOREVER)


def ends():
    """End at once."""


def connects_and_says_nothing():
    """Open TLS, and say nothing."""
    with _tls():
        time.sleep(FOREVER)


def connects_and_closes():
    """Open TLS, and close."""
    _tls().close()
    time.sleep(FOREVER)


def connects_without_tls():
    """Open TCP, and say nothing."""
    with _tcp():
        time.sleep(FOREVER)


def prints_rubbish():
    """Print what is no event, its key among it."""
    while True:
        _say(os.environ["IOTHUB_DEVICE_CONNECTION_STRING"] + "\0\xff")
        sys.stderr.write(os.environ["IOTHUB_DEVICE_CONNECTION_STRING"] + "\n")
        time.sleep(0.001)


def ignores_all():
    """Pass over SIGTERM, and the end of stdin; and leave a child that does too."""
    import signal

    os.fork()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(FOREVER)


def says_that_it_is_ready():
    """Answer each order with success, and do nothing."""
    import json

    _say(json.dumps({"event": "ready", "protocol": 1, "name": "n", "version": "1"}))
    names = {"connect": "connected", "listen": "listening", "send": "sent", "get_twin": "twin"}
    names |= {"patch_reported": "patched", "answer_method": "answered", "disconnect": "disconnected"}
    for line in sys.stdin:
        order = json.loads(line)
        _say(json.dumps({"event": names[order["do"]], "of": order["id"], "twin": {}}))


def _say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _tcp():
    return socket.create_connection(("127.0.0.1", int(os.environ["IOTHUB_MQTT_PORT"])))


def _tls():
    context = ssl.create_default_context(cafile=os.environ["IOTHUB_CA_FILE"])
    return context.wrap_socket(_tcp(), server_hostname="localhost")


if __name__ == "__main__":
    globals()[sys.argv[1]]()
