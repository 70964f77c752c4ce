"""Effects while the hub runs: what the rules decided, carried out on connections and on what they share."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from iothub_emulator.connections import LiveConnection
from iothub_emulator.hub.effects import (
    Admit,
    Answer,
    AnswerOther,
    Close,
    Effect,
    End,
    Forward,
    Notify,
    Reported,
    Send,
    Serve,
    Telemetry,
)
from iothub_emulator.hub.json_text import Object
from iothub_emulator.hub.methods import MethodRequest
from iothub_emulator.hub.packets import Publish
from iothub_emulator.hub.session import Session
from iothub_emulator.hub.twin import Change

if TYPE_CHECKING:
    from iothub_emulator.runtime import Runtime


class EffectDesk:
    """All connections of one hub. Whatever is sent to one of them because of another is sent from here."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime

    def perform(self, connection: LiveConnection, effects: Iterable[Effect]) -> None:
        """Carry out what the rules decided about `connection`, in its order."""
        for effect in effects:
            match effect:
                case Telemetry(event):
                    self._runtime.endpoints.take(event)
                case Send(packet):
                    connection.send(packet)
                case Admit():
                    self._admit(connection, effect)
                case Serve():
                    self._serve_connection(connection)
                case Answer() | Notify() | AnswerOther() | Reported() | Forward():
                    self._pass_on(effect)
                case Close(because):
                    connection.close(because)
                    if self._runtime.rules.connection.spreads(because):
                        self._drop_others(connection)

    def serve(self, identity_key: str) -> None:
        """Send an identity what waits for it, if it is connected."""
        connection = self._runtime.connections.get(identity_key)
        if connection is not None:
            self._serve_connection(connection)
            connection.flush()

    def request(self, identity_key: str, request: MethodRequest) -> None:
        """Send an identity the request of a method, if it is connected and subscribed."""
        self._say(identity_key, lambda session: session.request(request))

    def notified(self, identity_key: str, notification: Object) -> bool:
        """Send an identity a change of a twin; False: nobody is there, or it is not to hear it."""
        return self._say(identity_key, lambda session: session.notified(notification))

    def twin_changed(self, identity_key: str, change: Change, *, replaced: bool = False) -> None:
        """Let the event of a changed twin be told; `replaced`: by a whole document, not by a patch."""
        identity = self._runtime.registry.identity(identity_key)
        if identity is not None and replaced:
            self._runtime.events.twin_replaced(identity)
        elif identity is not None:
            self._runtime.events.twin_updated(identity, change)

    def _pass_on(self, effect: Answer | Notify | AnswerOther | Reported | Forward) -> None:
        """Let others know what a device did."""
        match effect:
            case Answer(answered):
                self._runtime.methods.settle((answered,))
            case Notify(identity_key, notification):
                self._runtime.twins.notify(identity_key, notification)
            case AnswerOther(identity_key, topic, payload):
                self._say(identity_key, lambda session: session.answered(topic, payload))
            case Reported(identity_key, change):
                self.twin_changed(identity_key, change)
            case Forward(packet):
                self._forward(packet)

    def _forward(self, packet: Publish) -> None:
        for listener in self._runtime.connections.everyone():
            if self._runtime.rules.subscribe.hears(listener.session.subscriptions, packet.topic):
                listener.send(Publish(packet.topic, packet.payload, 0, retain=False))
                listener.flush()

    def _admit(self, connection: LiveConnection, admission: Admit) -> None:
        key = admission.identity_key
        runtime, rules = self._runtime, self._runtime.rules.connection
        replaced = rules.replaced_by(key) if rules.newest_wins() else ()
        older = [runtime.connections.get(each) for each in replaced]
        runtime.connections.add(key, connection)
        for each in older:
            if each is not None and rules.shares_place(each.way, connection.way):
                each.drop(End.TAKE_OVER)
        runtime.methods.disconnected(key)
        runtime.state.method_calls(key).connected()
        runtime.events.connected(key)
        connection.admitted(admission)

    def _serve_connection(self, connection: LiveConnection) -> None:
        """Send what the session says may be sent, and keep time for it."""
        key = connection.session.identity_key
        if key is None or not connection.is_writable:
            return
        self.perform(connection, connection.session.serve(self._runtime.now()))
        self._runtime.messages.keep_time(key)
        self._runtime.methods.keep_time(key)

    def _say(self, identity_key: str, what: Callable[[Session], list[Effect] | None]) -> bool:
        """Send an identity what its session makes of it; False: nobody is there, or it is not to hear it."""
        connection = self._runtime.connections.get(identity_key)
        effects = None if connection is None else what(connection.session)
        if connection is None or effects is None:
            return False
        self.perform(connection, effects)
        connection.flush()
        return True

    def _drop_others(self, connection: LiveConnection) -> None:
        for other in self._runtime.connections.everyone():
            if other is not connection:
                other.drop(End.ERROR)
