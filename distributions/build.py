"""Build what a release has: both wheels, an SBOM of each, and the digests of all. ``make dist`` runs it.

The wheels come from one tree: the whole, and the embedded hub alone. An SBOM names, in CycloneDX 1.6, each
package that the wheel brings with it, in the version and with the digests of requirements/lock.txt.
"""

import hashlib
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from email import message_from_bytes
from importlib import metadata
from pathlib import Path
from typing import Any, Final
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT: Final = Path(__file__).resolve().parents[1]
TREES: Final = (CHECKOUT, CHECKOUT / "distributions" / "iothub-emulator")
LOCK: Final = CHECKOUT / "requirements" / "lock.txt"


def main(folder: Path) -> None:
    """Fill a folder, which keeps what else is in it."""
    folder.mkdir(parents=True, exist_ok=True)
    digests = locked_digests(LOCK.read_text(encoding="utf-8"))
    built = []
    for tree in TREES:
        wheel = build(tree, folder)
        sbom = wheel.with_suffix(".cdx.json")
        sbom.write_text(json.dumps(bill_of_materials(wheel, digests), indent=2) + "\n", encoding="utf-8")
        built += [wheel, sbom]
    sums = folder / "SHA256SUMS"
    sums.write_text("".join(f"{_sha256(file)}  {file.name}\n" for file in built), encoding="utf-8")
    for file in (*built, sums):
        print(file)


def build(tree: Path, folder: Path) -> Path:
    """Build the wheel of a tree and return its file."""
    done = subprocess.run(  # noqa: S603 - a build tool of the locked environment
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(tree)],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    names = re.findall(r"\S+\.whl", done.stdout)
    if done.returncode or not names:
        sys.exit(f"{tree}: the wheel was not built\n{done.stdout}")
    return folder / names[-1]


def locked_digests(lock: str) -> dict[str, list[str]]:
    """Return the SHA-256 digests that a lock file allows for each package."""
    entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    return {
        canonicalize_name(match[1]): re.findall(r"--hash=sha256:([0-9a-f]{64})", entry)
        for entry in entries
        if (match := re.match(r"([A-Za-z0-9._-]+)==", entry))
    }


def bill_of_materials(wheel: Path, digests: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the SBOM of a wheel; what it brings is looked up in this environment, the locked one."""
    about = _metadata(wheel)
    name, version = about["Name"], about["Version"]
    brought = dict(sorted(dict(_closure(about.get_all("Requires-Dist") or [])).items()))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, _sha256(wheel))}",
        "version": 1,
        "metadata": {
            "component": {
                **_component(name, version, about["License-Expression"]),
                "type": "application",
                "hashes": [{"alg": "SHA-256", "content": _sha256(wheel)}],
            }
        },
        "components": [
            {
                **_component(each.name, each.version, _licence(each)),
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in digests[key]],
            }
            for key, each in brought.items()
        ],
        "dependencies": [
            _depends(_purl(name, version), about.get_all("Requires-Dist") or [], brought),
            *(
                _depends(_purl(each.name, each.version), each.requires or [], brought)
                for each in brought.values()
            ),
        ],
    }


def _closure(requires: list[str], seen: frozenset[str] = frozenset()) -> Iterator[tuple[str, Any]]:
    """Yield each package that is brought, by its canonical name; one may come more than once."""
    for name in _names(requires):
        if name not in seen:
            found = metadata.distribution(name)
            yield name, found
            yield from _closure(found.requires or [], seen | {name})


def _names(requires: list[str]) -> list[str]:
    """Return what is required here, extras left out."""
    wanted = map(Requirement, requires)
    return [
        canonicalize_name(each.name)
        for each in wanted
        if each.marker is None or each.marker.evaluate({"extra": ""})
    ]


def _depends(purl: str, requires: list[str], brought: Mapping[str, Any]) -> dict[str, Any]:
    names = sorted(set(_names(requires)))
    return {"ref": purl, "dependsOn": [_purl(brought[name].name, brought[name].version) for name in names]}


def _component(name: str, version: str, licence: str | None) -> dict[str, Any]:
    purl = _purl(name, version)
    licences = {"licenses": [{"expression": licence}]} if licence else {}
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, **licences}


def _licence(found: Any) -> str | None:
    """Return the expression of SPDX that a package states; None where it has only words of its own."""
    stated: str | None = found.metadata["License-Expression"]
    return stated


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{canonicalize_name(name)}@{version}"


def _metadata(wheel: Path) -> Any:
    with ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
