"""The first lines of a run: what is judged, by what, against which claims. Nothing in them is a secret."""

from collections.abc import Sequence

from conformance.documents.catalogue import DOCUMENT_DATE, DOCUMENT_LANGUAGE, DOCUMENT_TITLE, Catalogue
from conformance.report.publication import suite_version
from conformance.run.dependencies import OpenTarget


def header(catalogue: Catalogue, target: OpenTarget | None, selection: Sequence[str]) -> list[str]:
    """Return the lines; `target` is None where none is reached, `selection` what leaves cases out."""
    document = f"'{DOCUMENT_TITLE}' ({DOCUMENT_DATE}, {DOCUMENT_LANGUAGE})"
    suite = f"conformance: suite {suite_version()}; {len(catalogue.clauses)} clauses of {document}"
    if target is None:
        return [suite]
    about, claims = target.description, target.claims
    edition = f", edition {about['edition']}" if about.get("edition") else ""
    version = f", version {about['version']}" if about.get("version") else ""
    address = f"{about['host']}:{about.get('ports', {}).get('mqtt', '?')}"
    capabilities = ", ".join(sorted(claims.capabilities)) or "nothing beyond MQTT"
    timing = ", ".join(sorted(claims.timing)) or "none"
    return [
        suite,
        f"profile: {target.profile}; target: {about['name']}{version} at {address}{edition}",
        f"claims: {capabilities}; timing: {timing}; large cases: {'yes' if claims.large else 'no'}",
        *([f"partial: {' '.join(selection)}; no claim of conformance"] if selection else []),
        *(f"preflight: {remark}" for remark in target.remarks),
    ]
