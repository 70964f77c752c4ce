"""Every run ends: an answer of the service side has a limit of time and size as a whole."""

import tomllib
from pathlib import Path

import endless_services as ways
import pytest
from endless_services import EndlessService

from conformance.backend import Service
from conformance.errors import ServiceError
from conformance.target.credentials import ConnectionString, random_key
from conformance.target.preflight import preflight
from conformance.target.target import Limits, Ports, ServiceAccess, Target, Timeouts

LIMIT = 0.5
"""Seconds for an answer. Nothing here comes to its end, so nothing here can be too slow for it."""


@pytest.fixture
def hub_that_answers(tmp_path):
    """``hub_that_answers(way)``: a target all of whose ports answer in this way."""
    servers = []

    def start(way):
        server = EndlessService(tmp_path, way)
        servers.append(server)
        key = random_key().reveal()
        string = f"HostName=localhost:{server.port};SharedAccessKeyName=owner;SharedAccessKey={key}"
        return Target(
            profile="hostile",
            name="a hub that never comes to its end",
            host="localhost",
            ports=Ports(mqtt=server.port, https=server.port, amqp=server.port, plain=server.port),
            ca_file=server.ca_file,
            service=ServiceAccess(
                hub=ConnectionString.parse(string), events=None, consumer_groups=("$Default",)
            ),
            identities=(),
            capabilities=frozenset({"registry"}),
            timing={},
            timeouts=Timeouts(connect=LIMIT, reaction=LIMIT, silence=0.0),
            limits=Limits(workers=None, large=False),
            edition=None,
            version=None,
            origin="attached",
        )

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def service_of():
    """``service_of(target)``: its service side as a worker has it."""
    services = []

    def open_service(target):
        service = Service(target, telemetry=False)
        services.append(service)
        return service

    yield open_service
    for service in services:
        service.close()


@pytest.mark.parametrize(
    "way",
    [ways.endless_chunks, ways.interim_answers, ways.a_head_byte_by_byte, ways.a_body_byte_by_byte],
    ids=lambda way: way.__name__,
)
def test_the_preflight_ends_in_one_line(hub_that_answers, way):
    """Not one of these answers is ever late for a single read."""
    target = hub_that_answers(way)

    with pytest.raises(ServiceError) as caught:
        preflight(target)

    assert str(caught.value) == (
        f"POST /devices at localhost:{target.ports.https}: the answer did not end within {LIMIT} s."
    )


@pytest.mark.parametrize("way", [ways.endless_chunks, ways.interim_answers], ids=lambda way: way.__name__)
def test_an_answer_without_end_is_not_asked_for_again(hub_that_answers, service_of, monkeypatch, way):
    """A lost answer to a GET is asked for again; of this one there is only more of the same."""
    waits = []
    monkeypatch.setattr("conformance.run.sleeping.time.sleep", waits.append)

    with pytest.raises(ServiceError, match="did not end within"):
        service_of(hub_that_answers(way)).registry.get("d")

    assert waits == []


def test_an_answer_has_a_size(hub_that_answers, service_of, monkeypatch):
    """Whatever the time, no more is taken than any hub has to say."""
    monkeypatch.setattr(f"{__name__}.LIMIT", 60.0)

    with pytest.raises(ServiceError, match=r"the answer is larger than 8 MB\.$"):
        service_of(hub_that_answers(ways.a_flood_of_chunks)).registry.get("d")


def test_nothing_is_unpacked_that_was_not_asked_for(hub_that_answers, service_of, monkeypatch):
    """A small body stays one, whatever it is said to be packed in."""
    monkeypatch.setattr(f"{__name__}.LIMIT", 60.0)

    answer = service_of(hub_that_answers(ways.a_packed_body)).rest.call("GET", "devices", "d")

    assert len(answer.body) < 8 * 2**20


@pytest.mark.parametrize("way", [ways.a_frame_byte_by_byte, ways.empty_frames], ids=lambda way: way.__name__)
def test_a_message_over_amqp_has_a_time(hub_that_answers, service_of, way):
    """A frame that never ends, and frames that say nothing, are no answer."""
    service = service_of(hub_that_answers(way))

    with pytest.raises(ServiceError, match=r"^AMQP at localhost:\d+: no answer within 0\.5 s\."):
        service.c2d.send("d", b"x")


def test_a_frame_over_amqp_has_a_size(hub_that_answers, service_of, monkeypatch):
    """What is announced is refused before it is read, or even room made for it."""
    monkeypatch.setattr(f"{__name__}.LIMIT", 60.0)
    service = service_of(hub_that_answers(ways.a_frame_of_two_gigabytes))

    with pytest.raises(ServiceError, match="the hub announces a frame of 2147483647 bytes"):
        service.c2d.send("d", b"x")


def test_no_case_of_a_run_in_the_checkout_is_ended_with_the_run():
    """A case may wait for four answers of a live hub, a minute each; each wait has its own end."""
    options = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["tool"]["pytest"]

    assert [name for name in options if name.startswith("faulthandler")] == []
