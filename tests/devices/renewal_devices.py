"""Devices that are wrong in how they renew their tokens."""

from wrong import wrong

from conformance.adapters.paho_device import Device


@wrong("device-renewal.before-end")
class NeverRenews(Device):
    """It waits until the hub closes the connection for its token."""

    def renews_in(self):
        return 3600


@wrong("device-renewal.before-end")
class RenewsBehindTheEnd(Device):
    """It renews its token when that has ended."""

    def renews_in(self):
        return self.settings.token_life + 0.3


@wrong("device-renewal.new-token")
class SameToken(Device):
    """It connects again with the token that it has."""

    kept = None

    def token(self):
        self.kept = self.kept or super().token()
        return self.kept


@wrong("device-renewal.served-again")
class NewClientForNewToken(Device):
    """It connects anew with a clean session, and subscribes to nothing."""

    def on_pre_connect(self, client, userdata):
        super().on_pre_connect(client, userdata)
        client._clean_session = bool(self.listens_to)

    def come_back(self, *, session_present):
        pass


@wrong("device-renewal.again")
class RenewsOnce(Device):
    """It renews its first token, and no other."""

    renewals = 0

    def renews_in(self):
        self.renewals += 1
        return super().renews_in() if self.renewals == 1 else 3600


@wrong("device-renewal.telemetry")
class SendsByTheOldClient(Device):
    """Behind a renewal it hands what it is to send to the client of before, which is closed."""

    renewed = False

    def renew(self):
        self.renewed = True
        super().renew()

    def publish(self, topic, body):
        if not self.renewed:
            super().publish(topic, body)
