"""Authorities of devices: whether one of them vouches for the certificate that a client presented.

What is asked of a chain is the heart of RFC 5280: each certificate is signed by the next and the last by an
authority that the hub was given, who signs may sign, and each is good at this time. No name of a server and
no key usage is asked for: certificates of devices often have nothing but a common name.
"""

import datetime as dt
import functools
from collections.abc import Callable, Iterator, Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from iothub_emulator.net.errors import StartError

VOUCHED_NAMES = "peer_certificate_vouched_names"
"""What an endpoint asks its transport's `get_extra_info` for: a tuple of text, empty for no vouched one."""

LONGEST_CHAIN = 10
"""Certificates between a device's own and the authority."""


@functools.cache
def read_authorities(pems: tuple[str, ...]) -> tuple[x509.Certificate, ...]:
    """Return the authorities in the texts of PEM files; `StartError` for one that holds none, or another."""
    return tuple(certificate for pem in pems for certificate in _read(pem))


def common_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return what the subject is called."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return tuple(name.value for name in names if isinstance(name.value, str))


def presented(chain: Sequence[bytes]) -> Iterator[x509.Certificate]:
    """Return the certificates of a TLS handshake (DER) that can be read, the device's own first."""
    for der in chain:
        try:
            yield x509.load_der_x509_certificate(der)
        except (ValueError, UnsupportedAlgorithm):
            return


def is_good_at(certificate: x509.Certificate, now: dt.datetime) -> bool:
    """Tell whether the certificate has begun and has not ended."""
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def leads_to(
    chain: Sequence[x509.Certificate],
    authorities: Sequence[x509.Certificate],
    is_good: Callable[[x509.Certificate], bool],
) -> bool:
    """Tell whether the first certificate was issued by an authority, by way of the others if need be."""
    if not chain or len(chain) > LONGEST_CHAIN + 1:
        return False
    current, others = chain[0], chain[1:]
    for below in range(len(chain)):
        if not is_good(current):
            return False
        if any(_signed(current, authority, below) and is_good(authority) for authority in authorities):
            return True
        following = next((other for other in others if _signed(current, other, below)), None)
        if following is None:
            return False
        current = following
    return False


def _signed(certificate: x509.Certificate, issuer: x509.Certificate, below: int) -> bool:
    """Tell whether `issuer` may sign and did; `below` is how many authorities stand under it already."""
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        longest = constraints.path_length
        if not constraints.ca or (longest is not None and below > longest):
            return False
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False
    return True


def _read(pem: str) -> list[x509.Certificate]:
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode("ascii"))
    except ValueError:
        raise StartError("--device-ca holds no certificate in PEM: name a file that does") from None
    for certificate in certificates:
        if not _is_authority(certificate):
            name = certificate.subject.rfc4514_string()
            raise StartError(f"--device-ca: {name} is no certificate authority: name the one that signs")
    return certificates


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, x509.ExtensionNotFound):
        return False
