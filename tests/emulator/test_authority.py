"""The hub's certificates: what small TLS stacks look at, and an authority that is kept in two files."""

import datetime as dt
import stat

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from live_hub import AUTHORITY, AUTHORITY_KEY, HUB_KEYS, NOW, RSA_KEY

from iothub_emulator.net.authority import issue, new_authority
from iothub_emulator.net.errors import StartError
from iothub_emulator.ready import ca_files, kept_authority

NAMES = ("localhost", "127.0.0.1", "emulator.azure-devices.net")
LATER = NOW + dt.timedelta(days=5000)


def hub_certificate(kind="rsa", names=NAMES):
    return x509.load_pem_x509_certificate(issue(AUTHORITY, names, HUB_KEYS[kind], NOW).certificate_pem)


def common_name(certificate):
    return certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


@pytest.mark.parametrize(("kind", "key"), [("rsa", rsa.RSAPublicKey), ("ecdsa", ec.EllipticCurvePublicKey)])
def test_the_kind_of_key_is_the_one_asked_for(kind, key):
    """The authority's is RSA in either case."""
    assert isinstance(hub_certificate(kind).public_key(), key)
    assert isinstance(AUTHORITY.certificate.public_key(), rsa.RSAPublicKey)


def test_the_dates_are_ordinary():
    """Year 3000 has no UTCTime, and a clock that is a little behind finds it valid all the same."""
    for certificate, days in ((AUTHORITY.certificate, 3650), (hub_certificate(), 365)):
        begins = NOW.replace(microsecond=0) - dt.timedelta(days=1)
        assert (certificate.not_valid_before_utc, certificate.not_valid_after_utc) == (
            begins,
            begins + dt.timedelta(days=days),
        )


@pytest.mark.parametrize(
    ("names", "name"),
    [
        (NAMES, "emulator.azure-devices.net"),
        (("localhost", "127.0.0.1"), "localhost"),
        (("x" * 60 + ".example", "hub.example"), "hub.example"),
    ],
)
def test_the_common_name_is_one_with_a_dot_where_there_is_one(names, name):
    assert common_name(hub_certificate(names=names)) == name


def test_an_authority_is_made_once_and_read_again(tmp_path):
    """The certificate is for everybody, the key for its owner."""
    pem, key = tmp_path / "ca.pem", tmp_path / "ca.key"
    assert kept_authority(pem, key, NOW) is None
    with ca_files(pem, key, AUTHORITY) as path:
        assert path == pem
    assert [stat.S_IMODE(file.stat().st_mode) for file in (pem, key)] == [0o644, 0o600]
    before = (pem.read_bytes(), key.read_bytes())
    again = kept_authority(pem, key, NOW)
    assert again.certificate == AUTHORITY.certificate
    with ca_files(pem, key, again):
        assert (pem.read_bytes(), key.read_bytes()) == before


def test_another_user_of_the_machine_can_read_the_certificate():
    """A broker runs as a user of its own."""
    with ca_files(None, None, AUTHORITY) as path:
        modes = [stat.S_IMODE(each.stat().st_mode) for each in (path.parent, path)]
        assert modes == [0o755, 0o644]
        assert path.read_bytes() == AUTHORITY.pem


LEAF = issue(AUTHORITY, NAMES, RSA_KEY, NOW)
MISTAKES = {
    "no certificate": ("nothing", AUTHORITY.key_pem, NOW, "holds no certificate in PEM"),
    "no key": (AUTHORITY.pem, "nothing", NOW, "holds no private key in PEM"),
    "another key": (AUTHORITY.pem, LEAF.key_pem, NOW, "is not the key of"),
    "over": (AUTHORITY.pem, AUTHORITY.key_pem, LATER, "is not good today"),
    "no authority": (LEAF.certificate_pem, LEAF.key_pem, NOW, "is no certificate authority"),
    "only the certificate": (AUTHORITY.pem, None, NOW, "is there and"),
    "only the key": (None, AUTHORITY.key_pem, NOW, "is there and"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_two_files_that_are_no_authority_are_told_in_one_line(tmp_path, mistake):
    certificate, key, now, told = MISTAKES[mistake]
    for name, content in (("ca.pem", certificate), ("ca.key", key)):
        if content is not None:
            (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(StartError, match=told):
        kept_authority(tmp_path / "ca.pem", tmp_path / "ca.key", now)


def test_one_file_for_both_is_told_before_either_is_written(tmp_path):
    with pytest.raises(StartError, match="name two files"):
        kept_authority(tmp_path / "ca.pem", tmp_path / "x" / ".." / "ca.pem", NOW)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(new_authority(RSA_KEY, NOW, kept=True).pem, id="kept-authority"),
        pytest.param(b"a shopping list", id="no-certificate"),
    ],
)
def test_a_certificate_that_could_not_be_made_again_is_not_overwritten(tmp_path, content):
    """Who forgets --ca-key once does not lose what is built into devices."""
    (tmp_path / "ca.pem").write_bytes(content)
    with pytest.raises(StartError, match="name its key with --ca-key, or another file"):
        kept_authority(tmp_path / "ca.pem", None, NOW)


def test_the_certificate_of_an_earlier_start_is_overwritten(tmp_path):
    (tmp_path / "ca.pem").write_bytes(AUTHORITY.pem)
    assert kept_authority(tmp_path / "ca.pem", None, NOW) is None


@pytest.mark.parametrize(("certificate", "key"), [("ca.pem", "nowhere/ca.key"), ("nowhere/ca.pem", "ca.key")])
def test_a_start_that_cannot_write_one_file_leaves_none(tmp_path, certificate, key):
    with (
        pytest.raises(StartError, match="cannot be written"),
        ca_files(tmp_path / certificate, tmp_path / key, AUTHORITY),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_key_needs_the_name_of_its_certificate(tmp_path):
    with pytest.raises(StartError, match="--ca-key needs --ca-file"):
        kept_authority(None, tmp_path / "ca.key", NOW)


def test_an_authority_that_others_made_signs_too(tmp_path):
    """An EC key will do: what the hub shows of its own is RSA all the same."""
    made = new_authority(HUB_KEYS["ecdsa"], NOW)
    (tmp_path / "ca.pem").write_bytes(made.pem)
    (tmp_path / "ca.key").write_bytes(made.key_pem)
    read = kept_authority(tmp_path / "ca.pem", tmp_path / "ca.key", NOW)
    leaf = x509.load_pem_x509_certificate(issue(read, NAMES, RSA_KEY, NOW).certificate_pem)
    leaf.verify_directly_issued_by(read.certificate)
    assert AUTHORITY_KEY is not read.key
