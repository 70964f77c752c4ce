"""Devices that are wrong about the messages that they get."""

from wrong import wrong

from conformance.adapters.paho_device import Client, Device


@wrong("device-c2d.subscribes")
class AllOfItsTopics(Device):
    """It subscribes to everything under its id."""

    def filters(self):
        return {**super().filters(), "messages": f"devices/{self.path}/messages/#"}


@wrong("device-c2d.delivered")
class BodyAsText(Device):
    """It takes bodies for text."""

    def on_cloud_message(self, topic, body):
        super().on_cloud_message(topic, body.decode("utf-8", errors="replace").encode())


@wrong("device-c2d.values")
class ValuesAsTheyCame(Device):
    """It does not decode the values of properties."""

    def tell_message(self, body, properties, system):
        from urllib.parse import quote

        encoded = {name: quote(value or "", safe="") for name, value in properties.items()}
        super().tell_message(body, encoded, system)


@wrong("device-c2d.values")
class PlusIsSpace(Device):
    """It takes a plus in a value for a space, as in a form."""

    def tell_message(self, body, properties, system):
        decoded = {name: (value or "").replace("+", " ") for name, value in properties.items()}
        super().tell_message(body, decoded, system)


@wrong("device-c2d.names")
class NamesAsTheyCame(Device):
    """It does not decode the names of properties."""

    def tell_message(self, body, properties, system):
        from urllib.parse import quote

        super().tell_message(
            body, {quote(name, safe=""): value for name, value in properties.items()}, system
        )


@wrong("device-c2d.empty")
class NoEmptyValues(Device):
    """It passes over properties whose value is empty."""

    def tell_message(self, body, properties, system):
        super().tell_message(body, {name: value for name, value in properties.items() if value}, system)


@wrong("device-c2d.system")
class SystemAmongProperties(Device):
    """It tells system properties among those of the application."""

    def tell_message(self, body, properties, system):
        super().tell_message(body, {**properties, **system}, {})


class _NoPubacks(Client):
    def _send_puback(self, mid):
        return 0


@wrong("device-c2d.acknowledged")
class NeverAcknowledges(Device):
    """It acknowledges nothing."""

    def new_client(self):
        right = super().new_client()
        right.__class__ = _NoPubacks
        return right


@wrong("device-c2d.acknowledged")
class AcknowledgesWithOtherId(Device):
    """Its PUBACKs have the packet id of the message and one more."""

    def new_client(self):
        right = super().new_client()
        puback = right._send_puback
        right._send_puback = lambda mid: puback(mid + 1)
        return right


@wrong("device-c2d.acknowledged-again", "device-c2d.acknowledged-behind-loss")
class IgnoresDuplicates(Device):
    """It passes over a message that comes again, with its PUBACK."""

    def new_client(self):
        right, known = super().new_client(), set()
        puback = right._send_puback

        def once(mid):
            if mid in known:
                return 0
            known.add(mid)
            return puback(mid)

        right._send_puback = once
        return right


@wrong("device-c2d.acknowledged-in-order")
class AcknowledgesTheLastFirst(Device):
    """It collects five messages, and acknowledges the last one first."""

    def new_client(self):
        right, waiting = super().new_client(), []
        puback = right._send_puback

        def collect(mid):
            waiting.insert(0, mid)
            return 0 if len(waiting) < 5 else max(map(puback, waiting))

        right._send_puback = collect
        return right


@wrong("device-c2d.order")
class NewestFirst(Device):
    """It hands the newest message to its application first."""

    waiting = ()

    def on_cloud_message(self, topic, body):
        self.waiting = ((topic, body), *self.waiting)
        if len(self.waiting) == 5:
            for message in self.waiting:
                super().on_cloud_message(*message)


@wrong("device-c2d.subscribes-again")
class TrustsItsSession(Device):
    """It never subscribes again."""

    def come_back(self, *, session_present):
        pass


@wrong("device-c2d.served-again")
class DeafBehindLoss(Device):
    """It asks for a clean session behind a lost connection, and subscribes to nothing."""

    def on_pre_connect(self, client, userdata):
        super().on_pre_connect(client, userdata)
        client._clean_session = bool(self.listens_to)

    def come_back(self, *, session_present):
        pass
