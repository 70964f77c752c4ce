"""The device under test as a case meets it: started, given orders, seen through the tap."""

import base64
import itertools
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final

from conformance.errors import HarnessError, NotOffered, NotTested, StageFailed, Violation
from conformance.mqtt.packets import Connack, Connect, Publish
from conformance.tap.line import Line
from conformance.tap.proxy import Tap
from conformance.tap.record import Record
from conformance.target.credentials import Identity, Secret
from conformance.target.host_names import other_name
from conformance.under_test.adapter import Adapter, Event
from conformance.under_test.described import Described
from conformance.under_test.program import Program, filled

# The clauses that say that an application hears of calls, and that a device connects again.
CALLED: Final = "device-methods.request"
RECONNECTS: Final = "device-endings.reconnects"
# How long a device may take to send two messages at once, in seconds.
AT_ONCE: Final = 5.0
# The clause that says that the hub lets the device in.
ACCEPTED: Final = "device-connect.accepted"
# What OpenSSL says of bytes that are no record of TLS.
NO_TLS: Final = frozenset(
    {"wrong version number", "record layer failure", "http request", "unexpected message"}
)


class DeviceUnderTest:
    """One device: what it was told, its lines at the tap, and what its adapter tells.

    `host` is the hub's name, `seconds` how long it may take for what is asked of it.
    """

    def __init__(
        self, described: Described, identity: Identity, *, host: str, tap: Tap, record: Record, seconds: float
    ) -> None:
        self.described = described
        self.identity = identity
        self.id = identity.id
        self.path = identity.path
        self.host = host
        self.record = record
        self.seconds = seconds
        self.order_to_connect = 0
        self.token_life: float | None = None
        self.will: bytes | None = None
        self._tap = tap
        self._program: Program | None = None
        self._adapter: Adapter | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    # -- what it says of itself

    @property
    def names_of_hub(self) -> tuple[str, ...]:
        """The names by which a device may call the hub."""
        alias = other_name(self.host, "device")
        return (self.host,) if alias is None else (self.host, alias)

    @property
    def resources(self) -> tuple[str, ...]:
        """What its token may be for: itself, or what holds it in whole segments."""
        own = self.path.split("/")
        found: list[str] = []
        for host in self.names_of_hub:
            whole = [host, "devices", *own]
            found += ["/".join(whole[:length]) for length in range(1, len(whole) + 1)]
        return tuple(found)

    @property
    def lines(self) -> tuple[Line, ...]:
        """Its connections, the first one first."""
        return self.record.lines

    @property
    def adapter(self) -> Adapter:
        """Its adapter. Raises HarnessError where it has none, or has not been started."""
        if self._adapter is None:
            raise HarnessError("the device has no adapter, or was not started")
        return self._adapter

    # -- what it is told

    def start(self) -> None:
        """Start it, with all that it needs to reach the hub, and wait until its adapter is there."""
        if self._program is not None or self.described.command is None:
            return
        command = filled(self.described.command, self.described.timing)
        variables = self.variables()
        self.record.note("device", "=", f"is started, with {', '.join(sorted(variables))}")
        adapter = Adapter(self._write, lambda text: self.record.note("adapter", "=", text))
        self._program = Program(
            command, variables, adapter.hear if self.described.has_adapter else lambda _line: None
        )
        if self.described.has_adapter:
            self._adapter = adapter
            try:
                adapter.ready(self.seconds)
            except HarnessError as error:
                raise HarnessError(f"{error}{self._ending()}") from None

    def variables(self) -> dict[str, str]:
        """Return what it is told in its environment, the key among it."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="conformance-")
        ca_file = Path(self._folder.name) / "tap-ca.pem"
        ca_file.write_text(self._tap.authority.pem, encoding="ascii")
        module = "" if self.identity.module_id is None else f"ModuleId={self.identity.module_id};"
        string = Secret(
            f"HostName={self.host};DeviceId={self.identity.device_id};{module}"
            f"SharedAccessKey={self.identity.primary_key.reveal()}"
        )
        life = {} if self.token_life is None else {"IOTHUB_TOKEN_LIFE": f"{self.token_life:g}"}
        return {
            **life,
            "IOTHUB_DEVICE_CONNECTION_STRING": string.reveal(),
            "IOTHUB_CA_FILE": str(ca_file),
            "IOTHUB_ADDRESS": "localhost" if self.described.command else self.described.address,
            "IOTHUB_MQTT_PORT": str(self._tap.ports.mqtt),
            "IOTHUB_CONNECT_PORT": str(self._tap.ports.connect),
        }

    def begin_to_connect(self) -> int:
        """Have it connect, and do not wait; return the number of the order, 0 where it needs none."""
        self.start()
        will = {} if self.will is None else {"will": base64.b64encode(self.will).decode()}
        self.order_to_connect = self.adapter.order("connect", **will) if self.described.has_adapter else 0
        return self.order_to_connect

    def order(self, do: str, **says: Any) -> Event:
        """Give an order and return its answer, an error too. Raises StageFailed where none comes."""
        return self.adapter.answer(self.adapter.order(do, **says), self.seconds)

    def done(self, do: str, **says: Any) -> Event:
        """Give an order that has to succeed. Raises StageFailed where it does not."""
        answer = self.order(do, **says)
        if answer.name == "error":
            raise StageFailed(f"the device failed to {do}: {dict(answer.says)}")
        return answer

    def can_listen_to(self, claims: Collection[str]) -> list[str]:
        """Return all that a device which claims this can be told to listen to."""
        kinds = {"c2d": "messages", "twin": "desired", "methods": "methods"}
        return [kind for claim, kind in kinds.items() if claim in claims]

    def answers_next_method(self, *, status: int, payload: object) -> Event:
        """Have it answer the next call that it tells of; return what it told."""
        try:
            call = self.adapter.next("method", self.seconds)
        except Violation as violation:
            raise StageFailed(f"needs {CALLED}: {violation}", needs=CALLED) from None
        self.done("answer_method", request=call.says.get("request"), status=status, payload=payload)
        return call

    # -- what is seen of it

    def connects(self, *, after: int = 0) -> Line:
        """Return its next line with a CONNECT, behind `after` lines; raises StageFailed where none comes."""

        def found() -> Line | None:
            return next((line for line in self.lines[after:] if line.connect is not None), None)

        line = self.record.until(found, self.seconds)
        if line is None:
            raise StageFailed(f"the device sent no CONNECT within {self.seconds:g} s: {self.what_it_did()}")
        return line

    def connected(self) -> Line:
        """Have it connect, and return its line once the hub has let it in."""
        after = len(self.lines)
        order = self.begin_to_connect()
        line = self.connects(after=after)
        self.wait(lambda: line.connack is not None or not line.is_open, "CONNACK")
        if line.connack != Connack(0, 0) and (line.connack is None or line.connack.code):
            said = "nothing" if line.connack is None else f"code {line.connack.code}"
            raise StageFailed(f"needs {ACCEPTED}: CONNECT was answered by {said}", needs=ACCEPTED)
        if order:
            answer = self.adapter.answer(order, self.seconds)
            if answer.name != "connected":
                raise StageFailed(f"the device did not connect: {dict(answer.says)}")
        return line

    def reconnects(self, *, in_session: bool = False) -> Line:
        """Return its next accepted connection behind the first; raises StageFailed where none comes.

        With `in_session`, one on which its session goes on: NotOffered where it asks for a clean one.
        """
        after = len(self.lines)

        def accepted() -> Line | None:
            lines = (line for line in self.lines[1:] if line.connack is not None and line.connack.code == 0)
            return next((line for line in lines if line.is_open or line is self.lines[-1]), None)

        line = self.record.until(accepted, self.described.timing["reconnect"] + self.seconds)
        if line is None:
            raise StageFailed(f"needs {RECONNECTS}: no connection came behind {after}", needs=RECONNECTS)
        if in_session and line.connect is not None and line.connect.clean_session:
            raise NotOffered("the device asks for a clean session")
        return line

    def twin_without_stamps(self) -> dict[str, Any]:
        """Return the twin that its application gets, without the hub's own members."""
        twin = self.done("get_twin").says["twin"]
        return {
            section: {
                name: value for name, value in twin.get(section, {}).items() if not name.startswith("$")
            }
            for section in ("desired", "reported")
        }

    def order_in_time(self, do: str, **says: Any) -> str:
        """Give an order; return the name of its answer, "no answer" where none comes in the time it has."""
        number = self.adapter.order(do, **says)
        answer = self.adapter.until(lambda event: event.of == number, self.seconds)
        return "no answer" if answer is None else answer.name

    def twin_in(self, order: int) -> dict[str, Any]:
        """Return the twin in the answer to an order; nothing where the answer is none, or has none."""
        answer = self.adapter.until(lambda event: event.of == order, self.seconds)
        twin = None if answer is None else answer.says.get("twin")
        return twin if isinstance(twin, dict) else {}

    def give_time_to_reconnect(self, *, lines: int = 2) -> None:
        """Wait until it has opened so many connections, or for as long as it states."""
        self.give_time_for_connection(within=self.described.timing["reconnect"] + 1, lines=lines)

    def give_time_for_connection(self, *, within: float, lines: int = 2) -> None:
        """Wait until it has opened so many connections, or for so many seconds."""
        self.record.until(lambda: len(self.lines) >= lines or None, within)

    def connection_behind(self, place: int) -> Line:
        """Return its connection at a place, once the hub has accepted it. Raises StageFailed."""

        def accepted() -> Line | None:
            found = self.lines[place : place + 1]
            return next((line for line in found if line.connack is not None and line.connack.code == 0), None)

        line = self.record.until(accepted, self.seconds)
        if line is None:
            raise StageFailed(f"no connection {place + 1} that the hub accepts")
        return line

    def gap_in_words(self) -> str:
        """Return how long it had no connection between its first and its second one."""
        first, second = self.lines[:2]
        came, went = second.when(Connack, sent=False), first.end
        if came is None or went is None or came <= went.at:
            return "none"
        return f"{came - went.at:.1f} s"

    def states_behind_loss(self) -> list[str]:
        """Return what its application is told of connections from the first loss on, repeated words once.

        It has time enough to tell of a loss, and of a connection behind it.
        """
        self.adapter.wait(lambda: len(self._states()) > 1, self.described.timing["reconnect"] + self.seconds)
        return self._states()

    def _states(self) -> list[str]:
        told = (event.name for event in self.adapter.events if event.name in {"connected", "disconnected"})
        words = [word for word, _ in itertools.groupby(told)]
        return words[words.index("disconnected") :] if "disconnected" in words else []

    def time_of_next_connection(self, *, within: float) -> float | None:
        """Return when it opened another connection, None where it did not within so many seconds."""
        return self.record.until(lambda: self.lines[1].began if len(self.lines) > 1 else None, within)

    def next_properties(self) -> dict[str, str | None]:
        """Return the properties of the next message that its application gets."""
        properties: dict[str, str | None] = self.adapter.next("message", self.seconds).says["properties"]
        return properties

    def give_time(self, holds: Callable[[], object]) -> None:
        """Wait until something holds, or it has had time enough: what is checked behind says which."""
        self.record.until(lambda: holds() or None, self.seconds)

    def wait_until_served(self, topic_filter: str) -> None:
        """Wait until it has subscribed on its last line, where the hub kept no session of it."""
        line = self.reconnects()
        if line.connack is not None and line.connack.session_present:
            return
        self.give_time(lambda: any(topic_filter in filters for filters in line.granted()))

    def topics_of_telemetry(self) -> set[str]:
        """Return the topics of all messages that it sent, but for requests and answers, without bags."""
        topics = {packet.topic for line in self.lines for packet in line.of_kind(Publish)}
        return {_without_bag(topic) for topic in topics if not topic.startswith("$iothub/")}

    def what_strangers_got(self) -> tuple[str, ...]:
        """Name what it sent to servers whose certificates it must not trust; NotTested where it met none."""
        if not self.lines:
            raise NotTested("the device came to no server")
        return tuple(type(packet).__name__.upper() for line in self.lines for packet in line.sent)

    def sends_at_once(self, line: Line, count: int) -> None:
        """Wait until it has sent so many messages on a line; NotOffered where it sends one at a time."""
        if self.record.until(lambda: len(list(line.of_kind(Publish))) >= count or None, AT_ONCE) is None:
            raise NotOffered("the device sends one message at a time")

    def lines_without_tls(self) -> tuple[Line, ...]:
        """Return the connections on which it sent what is no TLS; NotTested where it met no server."""
        if not self.lines:
            raise NotTested("the device came to no server")
        return tuple(line for line in self.lines if line.tls_failure in NO_TLS)

    def lines_opened_while_open(self, line: Line) -> tuple[Line, ...]:
        """Return the connections that began while this one was open."""
        end = None if line.end is None else line.end.at
        return tuple(
            other
            for other in self.lines
            if other is not line and other.began >= line.began and (end is None or other.began < end)
        )

    def next_attempts_in_words(self, line: Line) -> str:
        """Say after how long each further connection began, counted from the CONNACK before it."""
        begun = [line.when(Connack, sent=False) or line.began, *(other.began for other in self.lines[1:])]
        gaps = [later - earlier for earlier, later in itertools.pairwise(begun)]
        return f"again after {', '.join(f'{gap:.1f} s' for gap in gaps)}" if gaps else "not again"

    def wait(self, holds: Callable[[], object], what: str) -> None:
        """Wait until something holds; raises StageFailed where it does not in time."""
        if not self.record.until(lambda: holds() or None, self.seconds):
            raise StageFailed(f"no {what} within {self.seconds:g} s")

    def what_it_did(self) -> str:
        """Say in a few words what was seen of it, for whoever looks for the reason."""
        lines = self.lines
        if not lines:
            return f"it opened no connection to the tap{self._ending()}"
        last = lines[-1]
        if last.tls_failure:
            return f"its TLS did not come up ({last.tls_failure})"
        first = next(iter(last.sent), None)
        said = "nothing" if first is None else type(first).__name__.upper()
        is_right = isinstance(first, Connect)
        return f"it opened {len(lines)} connections and sent {said}{'' if is_right else ' first'}"

    def told_version(self) -> str | None:
        """Return the version that its adapter told; None where it told none."""
        ready = next((event for event in self._events() if event.name == "ready"), None)
        version = None if ready is None else ready.says.get("version")
        return version if isinstance(version, str) else None

    def _events(self) -> tuple[Event, ...]:
        return () if self._adapter is None else self._adapter.events

    def _ending(self) -> str:
        if self._program is None:
            return ""
        code = self._program.ended
        ended = "it is still running" if code is None else f"it ended with code {code}"
        return f"; {ended}; its last words: {self._program.last_words()}"

    def _write(self, line: bytes) -> None:
        if self._program is not None:
            self._program.write(line)

    def stop(self) -> None:
        """End it; may be called twice."""
        program, self._program = self._program, None
        if program is not None:
            program.stop()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _without_bag(topic: str) -> str:
    """Return a topic up to the slash behind ``events``, that one included where it is there."""
    path, events, rest = topic.partition("/messages/events")
    return f"{path}{events}{rest[:1]}" if events else topic
