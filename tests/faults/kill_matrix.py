"""Every wrong hub against the whole suite: which clauses turn red, what survives, and how far each spreads.

Writes reports/kill-matrix.json and reports/kill-matrix.md. Each run's verdicts are kept in build/kill-matrix
and used again until the suite, the embedded hub or the fault itself changes, so a run that was stopped goes
on where it was. Exit code 1: a fault survives, more than three clauses are red by their own cases in the
median, or in more than one of ten runs the clause that is named first is none of the fault's.
"""

import argparse
import hashlib
import json
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path

from fault import Fault, all_faults
from matrix_report import FIRST_NAMED, WIDEST_MEDIAN, as_markdown, summary
from run import CHECKOUT, HERE, RunFailedError, Told, run_suite_on, told

KEPT = CHECKOUT / "build" / "kill-matrix"
REPORTS = CHECKOUT / "reports"
JUDGES = ("conformance", "iothub_emulator", "profiles")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="runs at once (%(default)s)")
    parser.add_argument("--only", default="*", metavar="GLOB", help="of MODULE:FUNCTION; writes no report")
    parser.add_argument("--reports", type=Path, default=REPORTS, metavar="DIR", help="where the report goes")
    parser.add_argument("--sample", type=int, metavar="N", help="so many, drawn by --seed; writes no report")
    parser.add_argument("--seed", type=int, default=12, metavar="N", help="of the sample (%(default)s)")
    options = parser.parse_args()
    faults = [fault for fault in all_faults() if fnmatchcase(fault.load, options.only)]
    if not faults:
        parser.error(f"--only {options.only}: matches no fault")
    if options.sample is not None:
        sample = random.Random(options.seed).sample
        faults = sample(sorted(faults, key=lambda fault: fault.load), min(options.sample, len(faults)))

    right = told_of(None).verdicts
    wrong = {clause: verdict for clause, verdict in right.items() if verdict in {"violation", "broken"}}
    if wrong:
        say(f"the hub without a fault is not in order: {wrong}")
        return 1
    rows = run_all(faults, options.jobs)
    said = summary(faults, rows)
    if options.only == "*" and options.sample is None:
        options.reports.mkdir(exist_ok=True)
        (options.reports / "kill-matrix.json").write_text(
            json.dumps(said, indent=1, ensure_ascii=False) + "\n"
        )
        (options.reports / "kill-matrix.md").write_text(as_markdown(said))
    say(
        f"{said['killed']} of {said['faults_run']} faults killed; red by own cases, median: "
        f"{said['median_own']:g}; first named is the fault's: {said['first_named']} of {said['faults_run']}"
    )
    for survivor in said["survivors"]:
        say(f"  survives: {survivor['load']}: not red: {', '.join(survivor['not_red'])}")
    named = said["first_named"] >= FIRST_NAMED * said["faults_run"]
    return int(bool(said["survivors"]) or said["median_own"] > WIDEST_MEDIAN or not named)


def run_all(faults: list[Fault], jobs: int) -> dict[str, Told]:
    """Return what is said of each faulty hub, by what it loads; print each as it comes."""
    rows: dict[str, Told] = {}
    times: list[float] = []
    with ThreadPoolExecutor(jobs) as pool:
        began = time.monotonic()
        pending = {pool.submit(told_of, fault): fault for fault in faults}
        for done in as_completed(pending):
            fault = pending[done]
            rows[fault.load] = done.result()
            red = [clause for clause, verdict in rows[fault.load].verdicts.items() if verdict == "violation"]
            times.append(time.monotonic() - began)
            left = (len(faults) - len(rows)) * times[-1] / len(rows)
            missed = sorted(fault.breaks - set(red))
            say(
                f"[{len(rows)}/{len(faults)}, {left / 60:.0f} min left] {fault.load}: {len(red)} red, "
                f"first {rows[fault.load].first or 'none'}"
                + (f"; NOT RED: {', '.join(missed)}" if missed else "")
            )
    return rows


def told_of(fault: Fault | None) -> Told:
    """Return what is said of one hub: as it was kept, or by a run."""
    name = fault.load.replace(":", ".") if fault else "no-fault"
    kept, digest = KEPT / f"{name}.json", digest_of(fault)
    if kept.exists():
        values = json.loads(kept.read_text())
        if values.pop("digest") == digest:
            return Told(**values)
    with tempfile.TemporaryDirectory(prefix="kill-matrix-") as directory:
        try:
            found = told(run_suite_on(fault.load if fault else None, Path(directory)))
        except RunFailedError as failure:
            say(str(failure))
            return Told({}, [], "")  # not kept: the next run tries again
    KEPT.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps({"digest": digest, **asdict(found)}))
    return found


def digest_of(fault: Fault | None) -> str:
    """Return the SHA-256 over what decides about a run: suite, hub, profiles, the fault's own file."""
    files = [file for folder in JUDGES for file in (CHECKOUT / folder).rglob("*")]
    files += [HERE / "run.py", HERE / "fault.py", *([HERE / f"{fault.module}.py"] if fault else [])]
    digest = hashlib.sha256()
    for file in sorted(files):
        if file.suffix in {".py", ".toml"}:
            digest.update(f"{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
