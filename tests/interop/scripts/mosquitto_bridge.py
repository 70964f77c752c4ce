"""Debian's mosquitto as a bridge to the hub, by five configurations like those that its users publish.

Where root starts the broker, it becomes the user of its package, as its service does: every file that it
reads must be readable to that user.
"""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

from mosquitto_tools import call, received, subscribed
from steps import HUB, PATIENCE, ask, same, step

SERVICE_USER = "mosquitto"

# The lines that all five share. A wait before it connects again, of up to half a minute, is cut short.
COMMON = """
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
log_dest stderr
log_type all

connection azureiot-bridge
address {host}:{mqtt}
bridge_cafile {ca}
bridge_insecure false
bridge_protocol_version mqttv311
bridge_tls_version tlsv1.2
start_type automatic
restart_timeout 1
remote_clientid {id}
"""

# eclipse-mosquitto/mosquitto#953 and #1059: all under one prefix, a Username without api-version.
PREFIX = """
remote_username {host}/{id}
remote_password {token}
try_private false
cleansession true
notifications false
notification_topic events/
topic # out 0 devices/{id}/messages/events/ devices/{id}/messages/events/
topic # in 0 devices/{id}/messages/devicebound/ devices/{id}/messages/devicebound/
"""

# eclipse-mosquitto/mosquitto#1562 and how-tos for IoT Edge: one pattern, the Username's older form.
PATTERN = """
remote_username {host}/{id}/api-version=2019-03-31
remote_password {token}
try_private false
cleansession true
bridge_attempt_unsubscribe false
notifications false
topic devices/{id}/messages/events/# out 1
"""

# thin-edge/thin-edge.io: by certificate, a session that stays; messages, twin and methods under own names.
CERTIFICATE = """
remote_username {host}/{id}/?api-version=2018-06-30
bridge_certfile {certificate}
bridge_keyfile {key}
try_private false
cleansession false
bridge_attempt_unsubscribe false
notifications true
notifications_local_only true
notification_topic health/azure-bridge
topic messages/events/# out 1 az/ devices/{id}/
topic messages/devicebound/# in 1 az/ devices/{id}/
topic methods/POST/# in 1 az/ $iothub/
topic methods/res/# out 1 az/ $iothub/
topic twin/res/# in 1 az/ $iothub/
topic twin/GET/# out 1 az/ $iothub/
topic twin/PATCH/# out 1 az/ $iothub/
"""

# A session that stays by token; what stands behind the local prefix becomes the property bag.
MAPPED = """
remote_username {host}/{id}/?api-version=2021-04-12
remote_password {token}
try_private false
cleansession false
keepalive_interval 60
notifications false
topic # out 1 sensors/ devices/{id}/messages/events/
topic # in 1 commands/ devices/{id}/messages/devicebound/
"""

# try_private is true where nobody says otherwise: the bridge shows a protocol level of its own, which is
# refused, and comes again without.
PRIVATE = """
remote_username {host}/{id}/?api-version=2019-03-31
remote_password {token}
cleansession true
notifications false
topic devices/{id}/messages/events/# out 1
topic devices/{id}/messages/devicebound/# in 1
"""


class Bridge:
    """A broker of its own for one device: its configuration in a folder, its process, what it logs."""

    def __init__(self, name, configuration, by="key"):
        self.identity = "-".join(("bridge", *name.split()))
        self.events = f"devices/{self.identity}/messages/events/"
        self.messages = f"devices/{self.identity}/messages/devicebound/"
        self._folder = Path(tempfile.mkdtemp(prefix="interop-mosquitto-"))
        self._port = free_port()
        made = ask("create", identity=self.identity, by=by)
        values = (
            {file: self._installed(made[file]) for file in ("certificate", "key")}
            if by == "certificate"
            else {"token": ask("token", identity=self.identity, seconds=3600)}
        )
        (self._folder / "mosquitto.conf").write_text(
            (COMMON + configuration).format(
                port=self._port,
                folder=self._folder,
                host=HUB["host"],
                mqtt=HUB["ports"]["mqtt"],
                ca=HUB["ca_file"],
                id=self.identity,
                **values,
            )
        )
        self._own(self._folder)
        self._own(self._folder / "mosquitto.conf")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self._folder)

    def start(self, connacks=1):
        """Start the broker, and wait until the hub has answered so many CONNECTs of its bridge."""
        self._log, self._changed = [], threading.Condition()
        self._process = subprocess.Popen(
            ["mosquitto", "-c", self._folder / "mosquitto.conf"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process.stderr,))
        self._reader.start()
        self.wait_for("Received CONNACK on connection local.", connacks)

    def stop(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE / 2)
            self._reader.join()
            self._process.stderr.close()
            self._process = None

    def wait_for(self, text, times=1):
        """Wait until that many lines of the log have the text."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: sum(text in line for line in self._log) >= times, timeout=PATIENCE / 2
            ):
                raise AssertionError(f"no {text!r} in: {' | '.join(self._log[-8:])}")

    def call(self, tool, *options):
        """Run a tool as a client of the broker's own side."""
        return call(tool, *self._local, *options)

    def publish(self, topic, body):
        self.call("mosquitto_pub", "-t", topic, "-m", body)

    def listening(self, *options):
        return subscribed(*self._local, *options)

    @property
    def _local(self):
        return ("-h", "127.0.0.1", "-p", str(self._port), "-q", "1")

    def _read(self, lines):
        for line in lines:
            with self._changed:
                self._log.append(line.strip())
                self._changed.notify_all()

    def _installed(self, file):
        """Copy a file as an administrator does: for the service's user, and for nobody else."""
        copy = self._folder / Path(file).name
        shutil.copy(file, copy)
        copy.chmod(0o600)
        self._own(copy)
        return copy

    def _own(self, path):
        if os.geteuid() == 0:
            user = pwd.getpwnam(SERVICE_USER)
            os.chown(path, user.pw_uid, user.pw_gid)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(name, configuration, by="key", connacks=1):
    """Yield a bridge that is connected; what keeps it from that is the step's failure."""
    with Bridge(name, configuration, by) as bridge:
        with step(f"{name}: connects"):
            bridge.start(connacks)
        yield bridge


def telemetry(name, bridge, topic, properties):
    with step(f"{name}: telemetry"):
        bridge.publish(topic, f"é {name}")
        event = ask("telemetry", identity=bridge.identity, body=f"é {name}")
        same(event["properties"], properties)


def cloud_to_device(name, bridge, local):
    with step(f"{name}: cloud-to-device"), bridge.listening("-t", f"{local}#") as process:
        ask("cloud_to_device", identity=bridge.identity, body="ö", properties={"a": "b c"})
        topic, body = received(process)
        same(body, "ö")
        assert topic.startswith(local), topic
        assert "a=b%20c" in topic, topic


def drop(name, bridge, topic):
    with step(f"{name}: comes back after a drop"):
        ask("drop", identity=bridge.identity)
        bridge.wait_for("Received CONNACK on connection local.", times=2)
        bridge.publish(topic, f"again {name}")
        ask("telemetry", identity=bridge.identity, body=f"again {name}")


def meanwhile(name, bridge, local):
    with step(f"{name}: what came while the broker was stopped"):
        # A local subscriber that stays, as the bridge does.
        application = ("-c", "-i", "application", "-t", f"{local}#")
        with bridge.listening(*application):
            pass
        bridge.stop()
        ask("cloud_to_device", identity=bridge.identity, body="meanwhile")
        bridge.start()
        same(bridge.call("mosquitto_sub", *application, "-C", "1", "-F", "%p"), "meanwhile\n")


def prefix(name):
    with running(name, PREFIX) as bridge:
        telemetry(name, bridge, f"{bridge.events}room=kitchen&level=1", {"room": "kitchen", "level": "1"})
        cloud_to_device(name, bridge, bridge.messages)
        drop(name, bridge, bridge.events)


def pattern(name):
    with running(name, PATTERN) as bridge:
        telemetry(name, bridge, bridge.events, {})
        drop(name, bridge, bridge.events)


def certificate(name):
    with running(name, CERTIFICATE, by="certificate") as bridge:
        telemetry(name, bridge, "az/messages/events/", {})
        cloud_to_device(name, bridge, "az/messages/devicebound/")
        with step(f"{name}: twin get and reported"), bridge.listening("-t", "az/twin/res/#") as process:
            bridge.publish("az/twin/GET/?$rid=1", "")
            same(
                received(process),
                ("az/twin/res/200/?$rid=1", '{"desired":{"$version":1},"reported":{"$version":1}}'),
            )
            bridge.publish("az/twin/PATCH/properties/reported/?$rid=2", '{"level": 3}')
            same(received(process), ("az/twin/res/204/?$rid=2&$version=2", ""))
            same(ask("twin", identity=bridge.identity)["properties"]["reported"]["level"], 3)
        method(name, bridge)
        drop(name, bridge, "az/messages/events/")
        meanwhile(name, bridge, "az/messages/devicebound/")


def method(name, bridge):
    with step(f"{name}: method"), bridge.listening("-t", "az/methods/POST/#") as process:
        answers = []
        calling = threading.Thread(
            target=lambda: answers.append(
                ask("method", identity=bridge.identity, name="turn", payload={"to": 1})
            )
        )
        calling.start()
        topic, body = received(process)
        same(body, '{"to":1}')
        request = topic.removeprefix("az/methods/POST/turn/?$rid=")
        bridge.publish(f"az/methods/res/200/?$rid={request}", '{"turned":1}')
        calling.join()
        same(answers, [{"status": 200, "payload": {"turned": 1}}])


def mapped(name):
    with running(name, MAPPED) as bridge:
        telemetry(name, bridge, "sensors/room=kitchen", {"room": "kitchen"})
        cloud_to_device(name, bridge, "commands/")
        drop(name, bridge, "sensors/")
        meanwhile(name, bridge, "commands/")


def private(name):
    with running(name, PRIVATE, connacks=2) as bridge:
        telemetry(name, bridge, bridge.events, {})
        cloud_to_device(name, bridge, bridge.messages)


def idle(name):
    with running(name, CERTIFICATE, by="certificate") as bridge:
        before, after = ask("silence", identity=bridge.identity, seconds=HUB["idle"])
        with step(f"{name}: stays connected through the silence"):
            same(after, before)
        method(name, bridge)


if __name__ == "__main__":
    if "idle" in HUB:
        idle("idle")
    else:
        prefix("one prefix")
        pattern("one pattern")
        certificate("by certificate")
        mapped("mapped topics")
        private("private protocol")
