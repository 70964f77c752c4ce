"""The hub's certificate authority and the certificate that it issues to the hub itself.

Both are RSA, as a hub's are, since firmware with the documented cipher suites can read no other (Microsoft,
"TLS support in IoT Hub"); with ordinary dates and a common name, which small TLS stacks look at. Made anew by
each start, or read from two files, so that an image of a device with the authority built in can be used
again.
"""

import datetime as dt
import ipaddress
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from iothub_emulator.net.errors import StartError

KeyKind = Literal["rsa", "ecdsa"]
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

AUTHORITY_DAYS, HUB_DAYS = 3650, 365
"""How long the two certificates are good, from a day before they were made."""

_OF_ONE_START = "iothub-emulator root of one start"
_LONGEST_COMMON_NAME = 64  # RFC 5280, upper bound of a common name
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class CertificateAuthority:
    """A certificate and its key; `pem` is the certificate, all that a client needs."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate for whoever is to trust it."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key, without a password: for a file of the owner's alone."""
        return _key_pem(self.key)


@dataclass(frozen=True)
class HubCertificate:
    """What the hub shows, and how it proves that it is its own; both in PEM."""

    certificate_pem: bytes
    key_pem: bytes


def begin_keys(*kinds: KeyKind) -> "list[Future[PrivateKey]]":
    """Begin to make private keys, each in a thread; `result()` waits. RSA takes half as long as a start."""
    threads = ThreadPoolExecutor(len(kinds), "key")
    try:
        return [threads.submit(_new_key, kind) for kind in kinds]
    finally:
        threads.shutdown(wait=False)


def new_authority(key: PrivateKey, now: dt.datetime, *, kept: bool = False) -> CertificateAuthority:
    """Return an authority that signs itself, good from yesterday on; `kept`: for more than one start."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "iothub-emulator"),
            x509.NameAttribute(NameOID.COMMON_NAME, "iothub-emulator root" if kept else _OF_ONE_START),
        ]
    )
    certificate = (
        _builder(name, name, key, now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True, digital_signature=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return CertificateAuthority(certificate, key)


def read_authority(certificate_file: Path, key_file: Path, now: dt.datetime) -> CertificateAuthority:
    """Return the authority that two files hold; `StartError` where they hold none that can sign now."""
    certificate = _read_certificate(certificate_file)
    try:
        key = serialization.load_pem_private_key(_read(key_file), password=None)
    except (ValueError, TypeError):
        raise StartError(
            f"--ca-key {key_file} holds no private key in PEM without password: name a file that does"
        ) from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise StartError(f"--ca-key {key_file} is no RSA and no EC key: name one that is")
    if key.public_key() != certificate.public_key():
        raise StartError(
            f"--ca-key {key_file} is not the key of {certificate_file}: name the two that belong together"
        )
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise StartError(
            f"--ca-file {certificate_file} is not good today: remove it and its key, new ones are made"
        )
    if not _may_sign(certificate):
        raise StartError(f"--ca-file {certificate_file} is no certificate authority: name one that is")
    return CertificateAuthority(certificate, key)


def is_of_one_start(pem: bytes) -> bool:
    """Tell whether this is the certificate of an authority whose key went with the hub that made it."""
    try:
        names = x509.load_pem_x509_certificate(pem).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        return False
    return [name.value for name in names] == [_OF_ONE_START]


def issue(
    authority: CertificateAuthority, names: Iterable[str], key: PrivateKey, now: dt.datetime
) -> HubCertificate:
    """Return a certificate for a server of these names and addresses, the first with a dot as common name."""
    names = tuple(names)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "iothub-emulator"),
            x509.NameAttribute(NameOID.COMMON_NAME, _common_name(names)),
        ]
    )
    certificate = (
        _builder(subject, authority.certificate.subject, key, now, HUB_DAYS)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            _usage(digital_signature=True, key_encipherment=isinstance(key, rsa.RSAPrivateKey)), critical=True
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False
        )
        .sign(authority.key, hashes.SHA256())
    )
    return HubCertificate(certificate.public_bytes(serialization.Encoding.PEM), _key_pem(key))


def _new_key(kind: KeyKind) -> PrivateKey:
    if kind == "ecdsa":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, now: dt.datetime, days: int
) -> x509.CertificateBuilder:
    begins = now.replace(microsecond=0) - _DAY
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(
    *,
    digital_signature: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _common_name(names: tuple[str, ...]) -> str:
    fitting = [name for name in names if len(name) <= _LONGEST_COMMON_NAME]
    dotted = [name for name in fitting if "." in name and not isinstance(_general_name(name), x509.IPAddress)]
    return next(iter((*dotted, *fitting)), "iothub-emulator")


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StartError(f"{file} cannot be read ({error.strerror}): name a file that can") from None


def _read_certificate(file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(_read(file))
    except ValueError:
        raise StartError(f"--ca-file {file} holds no certificate in PEM: name a file that does") from None


def _may_sign(certificate: x509.Certificate) -> bool:
    """Tell whether it is an authority's, and signed by itself: a root, which a client can trust alone."""
    try:
        certificate.verify_directly_issued_by(certificate)
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return constraints.value.ca


def _key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
