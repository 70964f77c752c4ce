"""Fixtures for tests of certificates: new ones for each case, and devices that are known by them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

import pytest

from conformance.certificates import ClientCertificate, Digest
from conformance.running.fixtures import Stage

if TYPE_CHECKING:  # a run that only collects loads neither side of a hub
    from conformance.device import Device
    from conformance.running.bench import CaseBench

# What a refusal needs beside it: the right certificate opens a session.
SESSION: Final = "x509.no-password"


class Registration(Protocol):
    """Has the hub know a new device by two new certificates."""

    def __call__(self, *, digest: Digest = "SHA-1") -> "Device":
        """Return the device, which presents the first; `digest` is that of both thumbprints."""


@pytest.fixture
def issue() -> Callable[[str], ClientCertificate]:
    """``issue("subject")``: a new self-signed certificate that no hub knows."""
    return ClientCertificate


@pytest.fixture
def register(_bench: "CaseBench") -> Registration:
    """``register(digest="SHA-1")``: a new device that the hub knows by its own and a spare certificate."""

    def create(*, digest: Digest = "SHA-1") -> "Device":
        return _bench.certified_device(digest)

    return create


@pytest.fixture
def register_module(device: "Device", _bench: "CaseBench") -> Callable[[], "Device"]:
    """``register_module()``: a new module of `device` that the hub knows by certificate."""

    def create() -> "Device":
        return _bench.certified_module(device)

    return create


@pytest.fixture
def certified(register: Registration, stage: Stage) -> "Device":
    """Return a device that was just let in with its certificate and has left."""
    device = register()
    stage(device.expect_accepted, needs=SESSION)
    return device


@pytest.fixture
def other_certified(register: Registration, stage: Stage) -> "Device":
    """Return another device that was just let in with its certificate and has left."""
    device = register()
    stage(device.expect_accepted, needs=SESSION)
    return device
