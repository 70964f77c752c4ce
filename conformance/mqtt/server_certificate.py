"""The certificate that a hub presents on its MQTT port, judged locally."""

import ipaddress
import ssl
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from conformance.errors import TargetUnreachable
from conformance.mqtt.endpoint import Endpoint, open_tcp
from conformance.mqtt.tls import SYSTEM


@dataclass(frozen=True, kw_only=True)
class ServerCertificate:
    """`chain` is "verified", or why the certificate does not lead to a trusted root.

    `dns_names` and `addresses` are those of its subjectAltName, as written. `key` is the kind of its key with
    the size in bits, or with the curve: "RSA 2048", "EC secp256r1".
    """

    chain: str
    dns_names: tuple[str, ...]
    addresses: tuple[str, ...]
    key: str

    def names(self, host: str) -> bool:
        """Tell whether the certificate is this host's (RFC 6125: a wildcard is the whole first label)."""
        try:
            return ipaddress.ip_address(host) in map(ipaddress.ip_address, self.addresses)
        except ValueError:
            return any(_same_name(pattern, host) for pattern in self.dns_names)


def fetch_certificate(endpoint: Endpoint) -> ServerCertificate:
    """Fetch the certificate without verifying it, then see whether a verifying handshake goes through.

    Raises TargetUnreachable where not even the first handshake does.
    """
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    der = _handshake(endpoint, unverified)
    # The host is compared below, by `names`: here it would hide what is wrong with the chain.
    verifying = ssl.create_default_context(cafile=None if endpoint.trust == SYSTEM else endpoint.trust)
    verifying.check_hostname = False
    try:
        _handshake(endpoint, verifying)
    except ssl.SSLCertVerificationError as error:
        chain = error.verify_message
    else:
        chain = "verified"
    certificate = x509.load_der_x509_certificate(der)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ServerCertificate(chain=chain, dns_names=(), addresses=(), key=_key(certificate))
    return ServerCertificate(
        chain=chain,
        dns_names=tuple(names.get_values_for_type(x509.DNSName)),
        addresses=tuple(map(str, names.get_values_for_type(x509.IPAddress))),
        key=_key(certificate),
    )


def _key(certificate: x509.Certificate) -> str:
    match certificate.public_key():
        case rsa.RSAPublicKey(key_size=bits):
            return f"RSA {bits}"
        case ec.EllipticCurvePublicKey() as key:
            return f"EC {key.curve.name}"
        case other:
            return type(other).__name__.removeprefix("_").removesuffix("PublicKey")


def _handshake(endpoint: Endpoint, context: ssl.SSLContext) -> bytes:
    try:
        with (
            open_tcp(endpoint) as plain,
            context.wrap_socket(plain, server_hostname=endpoint.host) as secured,
        ):
            return secured.getpeercert(binary_form=True) or b""
    except ssl.SSLCertVerificationError:
        raise
    except OSError as error:
        raise TargetUnreachable(
            f"{endpoint.host}:{endpoint.port}: no TLS handshake ({error}). Is this the hub's MQTT port?"
        ) from None


def _same_name(pattern: str, host: str) -> bool:
    pattern, host = pattern.casefold().rstrip("."), host.casefold().rstrip(".")
    if pattern.startswith("*."):
        label, _, rest = host.partition(".")
        return bool(label) and rest == pattern[2:]
    return pattern == host
