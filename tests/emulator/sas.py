"""SAS tokens for the tests, made after Microsoft's recipe and not with the hub's code."""

import base64
import hashlib
import hmac
from urllib.parse import quote


def signature(raw_resource, raw_expiry, key):
    digest = hmac.new(base64.b64decode(key), f"{raw_resource}\n{raw_expiry}".encode(), hashlib.sha256)
    return quote(base64.b64encode(digest.digest()), safe="")


def token(resource, key, expiry, *, policy=None, order=("sr", "sig", "se"), lower=False):
    """Return a token; the resource is percent-encoded here, with lower-case escapes on demand."""
    raw = quote(resource, safe="")
    if lower:
        raw = raw.replace("%2F", "%2f").replace("%3A", "%3a")
    fields = {"sr": raw, "sig": signature(raw, str(expiry), key), "se": str(expiry)}
    text = "&".join(f"{name}={fields[name]}" for name in order)
    return f"SharedAccessSignature {text}" + (f"&skn={policy}" if policy else "")
