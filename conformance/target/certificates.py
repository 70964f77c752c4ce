"""Certificates for devices: self-signed, new for each use, with keys that stay inside.

A hub that knows a device by certificate keeps its thumbprint and asks for no issuer.
Source: Microsoft, "Authenticate identities with X.509 certificates", self-signed certificates.
"""

import datetime as dt
import os
import ssl
import tempfile
from pathlib import Path
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from conformance.target.credentials import Secret

Digest = Literal["SHA-1", "SHA-256"]

# A run lasts minutes; the day before is for clocks that differ.
BEFORE: Final = dt.timedelta(days=1)
BEHIND: Final = dt.timedelta(days=1)


class ClientCertificate:
    """A new key on the curve P-256 and a certificate that it signs itself. `name` is its subject."""

    def __init__(self, name: str) -> None:
        self.name = name
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = dt.datetime.now(dt.UTC)
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BEFORE)
            .not_valid_after(now + BEHIND)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .sign(key, hashes.SHA256())
        )
        self._key = Secret(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
        )

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
                pem.write(self._key.reveal().encode("ascii"))
                pem.write(self._certificate.public_bytes(Encoding.PEM))
            context.load_cert_chain(file)
