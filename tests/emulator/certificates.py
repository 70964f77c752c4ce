"""Client certificates for tests: self-signed, issued by strangers, expired."""

import datetime as dt
import hashlib
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class ClientCertificate:
    """A certificate and its key, and contexts of a client that presents it."""

    def __init__(self, folder, name="device-1", *, days=30, is_authority=False):
        now = dt.datetime.now(dt.UTC)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder(
            issuer_name=subject,
            subject_name=subject,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - dt.timedelta(400),
            not_valid_after=now + dt.timedelta(days),
        )
        if is_authority:  # as `openssl req -x509` makes them
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        certificate = builder.sign(key, hashes.SHA256())
        pem = certificate.public_bytes(Encoding.PEM)
        self.der = certificate.public_bytes(Encoding.DER)
        self.pem_file = folder / f"{x509.random_serial_number()}.pem"
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.pem_file.write_bytes(secret + pem)

    @classmethod
    def issued(cls, folder, leaf):
        """Wrap a leaf that `trustme` issued, its chain with it."""
        made = cls.__new__(cls)
        made.pem_file = folder / f"{x509.random_serial_number()}.pem"
        leaf.private_key_and_cert_chain_pem.write_to_path(str(made.pem_file))
        made.der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
        return made

    @property
    def sha1(self):
        return hashlib.sha1(self.der).hexdigest().upper()

    @property
    def sha256(self):
        return hashlib.sha256(self.der).hexdigest().upper()

    def context(self, hub, version=None):
        """Return a context that trusts the hub and presents this certificate."""
        context = ssl.create_default_context(cadata=hub.ca_pem.decode())
        context.load_cert_chain(self.pem_file)
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context
