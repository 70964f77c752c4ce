"""Scripted hubs, embedded ones and their back ends: what many modules of this folder begin with."""

import socket

import pytest
from back_end import BackEnd, embedded_hub
from scripted_amqp import ScriptedAmqp
from scripted_peer import Stage
from scripted_service import ScriptedService

from conformance.evidence.transcript import Transcript


@pytest.fixture
def scene(tmp_path):
    """Peers that play literal bytes, and the devices that meet them."""
    scene = Stage(tmp_path)
    yield scene
    scene.close()


@pytest.fixture
def rest(tmp_path_factory):
    """A back end's REST interface that answers as it is told to."""
    scripted = ScriptedService(tmp_path_factory.mktemp("rest"))
    yield scripted
    scripted.close()


@pytest.fixture
def peer(tmp_path):
    """A back end's AMQP port that answers as it is told to."""
    scripted = ScriptedAmqp(tmp_path)
    yield scripted
    scripted.close()


@pytest.fixture
def transcript():
    return Transcript()


@pytest.fixture(scope="module")
def hub():
    """The embedded hub, as its profile launches it; a module that wants another one defines its own."""
    with embedded_hub() as target:
        yield target


@pytest.fixture
def back_end(hub, request):
    """This test's share of the embedded hub's back end."""
    made = BackEnd(hub, request.node.name)
    yield made
    made.close()


@pytest.fixture
def deserted_port():
    """A port on which nothing listens, and which nobody else is given meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
