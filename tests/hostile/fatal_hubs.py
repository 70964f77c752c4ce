"""Hubs that do not survive a packet: what `--load` takes."""

import os
import threading

from iothub_emulator.hub import admission
from iothub_emulator.hub.publish import PublishRules


def dies_of_qos_2(rules):
    """A PUBLISH with QoS 2 ends the process."""

    class Wrong(PublishRules):
        def on_qos_2(self):
            os._exit(3)

    rules.publish = Wrong(rules.publish.settings, rules.publish.edition)


def stands_still_at_qos_2(rules):
    """A PUBLISH with QoS 2 is the last thing that it looks at; its ports stay open."""

    class Wrong(PublishRules):
        def on_qos_2(self):
            threading.Event().wait()

    rules.publish = Wrong(rules.publish.settings, rules.publish.edition)


def crashes_on_refusals(_rules):
    """Whatever is refused at CONNECT raises inside, and the connection ends."""

    def crash(_reason, _identity=None):
        raise RuntimeError("no code for this refusal")

    admission.Refused = crash
