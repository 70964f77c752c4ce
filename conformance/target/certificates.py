"""Certificates for devices: self-signed or of an authority, new for each use, with keys that stay inside.

A hub that knows a device by thumbprint asks for no issuer; one that trusts an authority asks for its
certificate and the device's name in it.
Source: Microsoft, "Authenticate identities with X.509 certificates".
"""

import datetime as dt
import os
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from conformance.target.credentials import Secret

Digest = Literal["SHA-1", "SHA-256"]

# A run lasts minutes; the day before is for clocks that differ.
BEFORE: Final = dt.timedelta(days=1)
BEHIND: Final = dt.timedelta(days=1)
# A common name has 64 characters at most; known by its thumbprint, a certificate may bear any.
LONGEST_NAME: Final = 64


@dataclass(frozen=True)
class DeviceAuthority:
    """A certificate authority that signs certificates of devices.

    `pem` may hold more than its certificate: authorities above it, which devices present too. Making one
    raises ValueError, without the key in it, where the two are no authority.
    """

    pem: str = field(repr=False)
    key: Secret

    def __post_init__(self) -> None:
        if self.certificate.public_key() != _private_key(self.key).public_key():
            raise ValueError("the key is not that of the certificate")
        if not _signs(self.certificate):
            raise ValueError("the certificate is no authority's: it may not sign others")

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate of the authority itself."""
        try:
            return x509.load_pem_x509_certificate(self.pem.encode("ascii", "replace"))
        except ValueError:
            raise ValueError("the certificate cannot be read") from None

    @property
    def name(self) -> str:
        """The common name of the authority, its whole subject where it has none."""
        names = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value) if names else self.certificate.subject.rfc4514_string()

    @classmethod
    def new(cls, name: str = "conformance, devices") -> Self:
        """Return a new authority that signs itself, good for a day."""
        return cls._made(name, None)

    def below(self, name: str = "conformance, devices, below") -> Self:
        """Return a new authority that this one signs."""
        return self._made(name, self)

    def issue(
        self, name: str, *, begins_in: dt.timedelta = -BEFORE, ends_in: dt.timedelta = BEHIND
    ) -> "ClientCertificate":
        """Return a new certificate of a device, good between two moments, counted from now."""
        return ClientCertificate(name, self, begins_in=begins_in, ends_in=ends_in)

    def sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        """Return a certificate whose issuer this authority is."""
        return builder.issuer_name(self.certificate.subject).sign(_private_key(self.key), hashes.SHA256())

    @classmethod
    def _made(cls, name: str, issuer: "DeviceAuthority | None") -> Self:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name, key, -BEFORE, BEHIND).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        if issuer is None:
            made = builder.issuer_name(_subject(name)).sign(key, hashes.SHA256())
            return cls(_pem(made), _secret(key))
        return cls(_pem(issuer.sign(builder)) + issuer.pem, _secret(key))


class ClientCertificate:
    """A new key on the curve P-256 and a certificate that it, or an authority, signs.

    `name` is its subject. It is good between two moments, counted from now.
    """

    def __init__(
        self,
        name: str,
        issuer: DeviceAuthority | None = None,
        *,
        begins_in: dt.timedelta = -BEFORE,
        ends_in: dt.timedelta = BEHIND,
    ) -> None:
        self.name = name
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(name, key, begins_in, ends_in)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        )
        self._certificate = (
            builder.issuer_name(_subject(name)).sign(key, hashes.SHA256())
            if issuer is None
            else issuer.sign(builder)
        )
        self._pem = _pem(self._certificate) + ("" if issuer is None else issuer.pem)
        self._key = _secret(key)

    def __repr__(self) -> str:
        return f"ClientCertificate({self.name!r})"

    def thumbprint(self, digest: Digest = "SHA-1") -> str:
        """Return what a registry keeps of it: 40 or 64 hexadecimal digits in capitals, without separators."""
        algorithm = hashes.SHA1() if digest == "SHA-1" else hashes.SHA256()  # noqa: S303 - as hubs have it
        return self._certificate.fingerprint(algorithm).hex().upper()

    def load_into(self, context: ssl.SSLContext) -> None:
        """Have connections of this context present the certificate.

        OpenSSL reads keys from files alone: this one exists while it does, and for nobody else.
        """
        # A directory that only this user may enter.
        with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
            file = Path(folder) / "client.pem"
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as pem:
                pem.write(f"{self._key.reveal()}\n".encode("ascii"))
                pem.write(self._pem.encode("ascii"))
            context.load_cert_chain(file)


def two_certificates(subject: str) -> tuple[ClientCertificate, ClientCertificate]:
    """Return two new self-signed certificates that bear the end of this name."""
    return ClientCertificate(subject[-LONGEST_NAME:]), ClientCertificate(subject[-LONGEST_NAME:])


def _builder(
    name: str, key: ec.EllipticCurvePrivateKey, begins_in: dt.timedelta, ends_in: dt.timedelta
) -> x509.CertificateBuilder:
    """Return all that certificates have in common; who signs one names itself as the issuer."""
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins_in)
        .not_valid_after(now + ends_in)
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def _secret(key: ec.EllipticCurvePrivateKey) -> Secret:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
    return Secret(pem.strip())


def _private_key(key: Secret) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    try:
        read = load_pem_private_key(key.reveal().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The original holds the key in its traceback's locals.
        raise ValueError("the key is no private key in PEM without a password") from None
    if not isinstance(read, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError("the key is no RSA and no EC key")  # noqa: TRY004 - a value, as its reader sees it
    return read


def _signs(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, x509.ExtensionNotFound):
        return False
