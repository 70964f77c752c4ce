"""The certificates that a tap shows to devices: an authority of its own, and what it signs for which name.

A device is told to trust the authority. Another authority, and a certificate of another name, are for cases
that see whether it looks.
"""

import datetime as dt
import ipaddress
import ssl
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# A run lasts minutes; the day before is for clocks that differ.
_DAY: Final = dt.timedelta(days=1)


class TapAuthority:
    """An authority that signs the certificates of one tap; good for a day."""

    def __init__(self, name: str = "conformance, tap", *, key: str | None = None) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1()) if key is None else _read(key)
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._certificate = (
            _builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .issuer_name(self._name)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def pem(self) -> str:
        """The certificate of the authority, which a device is told to trust."""
        return self._certificate.public_bytes(Encoding.PEM).decode("ascii")

    @property
    def key(self) -> str:
        """Its private key, PEM: another authority of this key and name is trusted where this one is."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")

    def context(self, names: Sequence[str]) -> ssl.SSLContext:
        """Return what a server of these names, or addresses, needs for TLS 1.2 and newer."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
        certificate = (
            _builder(subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([_named(name) for name in names]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .issuer_name(self._name)
            .sign(self._key, hashes.SHA256())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # OpenSSL reads keys from files alone: this one exists while it does, and for nobody else.
        with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
            file = Path(folder) / "tap.pem"
            file.touch(mode=0o600)
            file.write_bytes(
                key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
                + certificate.public_bytes(Encoding.PEM)
            )
            context.load_cert_chain(file)
        return context

    def lenient_context(self, names: Sequence[str]) -> ssl.SSLContext:
        """Return the same for a server that agrees on retired versions too, where OpenSSL can."""
        context = self.context(names)
        with warnings.catch_warnings():
            # Agreeing on a retired version is the point: to see whether a device asks for one.
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers("ALL:@SECLEVEL=0")
        return context


def _read(key: str) -> ec.EllipticCurvePrivateKey:
    read = load_pem_private_key(key.encode("ascii"), None)
    assert isinstance(read, ec.EllipticCurvePrivateKey)  # noqa: S101 - as `TapAuthority.key` wrote it
    return read


def _builder(subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _named(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
