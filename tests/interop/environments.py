"""Each stranger's package in its own locked environment, built once and kept; Debian's as they are installed.

An environment is named after its lock file's hash: a changed lock makes a new one, and the old one goes.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KEPT = ROOT / ".venv-interop"

HASH = 16
"""Characters of the hash in an environment's name."""

BUILD = 600
"""Seconds that one command of a build may take."""

NEWEST = (3, 20)
"""As far as newer Pythons are looked for."""

DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
"""Maven's plugin that copies a pom's dependencies."""


class NotRunError(Exception):
    """This machine cannot build the environment; the text says what is missing."""


@dataclass(frozen=True)
class Environment:
    """The program that runs a script of this environment, and the variables it needs."""

    program: str
    variables: dict[str, str]


def python_environment(
    package: str, newest: tuple[int, int] | None = None, oldest: tuple[int, int] = (3, 11)
) -> Environment:
    """Return the environment of requirements/interop-<package>.txt, of a Python from `oldest` to `newest`."""
    lock = ROOT / "requirements" / f"interop-{package}.txt"
    interpreter = _interpreter(oldest, newest or NEWEST)
    version = _output(interpreter, "-c", "import sys; print(sys.version, sys.platform)")
    name = f"{package}-{_hash(lock.read_bytes(), version.encode())}"
    folder = _built(package, name, lambda target: _build_python(interpreter, target, lock))
    return Environment(str(folder / "bin" / "python"), {})


def node_environment(name: str = "node") -> Environment:
    """Return the environment of tests/interop/<name>/package-lock.json."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NotRunError("node and npm are not installed")
    lock = HERE / name / "package-lock.json"
    version = _output(node, "--version")
    folder = _built(
        name,
        f"{name}-{_hash(lock.read_bytes(), version.encode())}",
        lambda target: _build_node(npm, target, lock),
    )
    return Environment(node, {"NODE_PATH": str(folder / "node_modules")})


def java_environment() -> Environment:
    """Return the environment of tests/interop/java: its pom.xml's packages, each as jars.sha256 has it."""
    java, javac, mvn = (shutil.which(program) for program in ("java", "javac", "mvn"))
    if java is None or javac is None or mvn is None:
        raise NotRunError("java, javac and mvn are not installed: a JDK of 17 or newer, and Maven")
    source = HERE / "java"
    parts = [(source / name).read_bytes() for name in ("pom.xml", "jars.sha256", "Steps.java")]
    folder = _built(
        "java",
        f"java-{_hash(*parts, _output(java, '--version').encode())}",
        lambda target: _build_java(javac, mvn, target, source),
    )
    # A script is one file, which `java` compiles as it starts it. The package wants a dot in the hub's name.
    return Environment(
        java,
        {
            "CLASSPATH": f"{folder / 'classes'}:{folder / 'jars'}/*",
            "JDK_JAVA_OPTIONS": f"-Djdk.net.hosts.file={folder / 'hosts'} -Dfile.encoding=UTF-8",
        },
    )


def debian_environment(*programs: str) -> Environment:
    """Return this Python, where the programs of Debian's packages are installed beside it."""
    # A broker is for administrators: Debian does not have it where a user looks.
    path = f"{os.environ['PATH']}:/usr/sbin"
    missing = [program for program in programs if shutil.which(program, path=path) is None]
    if missing:
        raise NotRunError(
            f"{' and '.join(missing)} not installed: it is in Debian's mosquitto or mosquitto-clients"
        )
    return Environment(sys.executable, {"PATH": path})


def _interpreter(oldest: tuple[int, int], newest: tuple[int, int]) -> str:
    """Return this Python, or the newest one on the machine that is neither too old nor too new."""
    if oldest <= sys.version_info[:2] and (newest == NEWEST or sys.version_info[:2] <= newest):
        return sys.executable
    for minor in range(newest[1], oldest[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found is not None and _starts(found):
            return found
    until = "or newer" if newest == NEWEST else f"to {newest[0]}.{newest[1]}"
    raise NotRunError(f"no Python {oldest[0]}.{oldest[1]} {until} is installed, and it runs on no other")


def _starts(interpreter):
    """Say whether it is one: what stands in the path may be a mere pointer to a Python that is not there."""
    return subprocess.run([interpreter, "--version"], check=False, capture_output=True).returncode == 0


def _build_python(interpreter, folder, lock):
    _run(interpreter, "-m", "venv", folder)
    # Only wheels: a package that would have to be compiled here counts as one that cannot be had.
    # Two never had one: the last paho-mqtt below 2, which is pure Python, and qpid-proton for Linux.
    wheels = ["--only-binary", ":all:"]
    for package in ("paho-mqtt==1", "python-qpid-proton=="):
        if package in lock.read_text():
            wheels += ["--no-binary", package.partition("==")[0]]
    install = ("install", "--quiet", "--require-hashes", *wheels, "--requirement", lock)
    _run(folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", *install)


def _build_node(npm, folder, lock):
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(lock.with_name(name), folder)
    _run(npm, "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder)


def _build_java(javac, mvn, folder, source):
    folder.mkdir()
    jars = folder / "jars"
    copy = ("-q", "-B", "-f", source / "pom.xml", f"{DEPENDENCY_PLUGIN}:copy-dependencies")
    _run(mvn, *copy, f"-DoutputDirectory={jars}", "-DincludeScope=runtime")
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in jars.iterdir()}
    locked = dict(reversed(line.split()) for line in (source / "jars.sha256").read_text().splitlines())
    if found != locked:
        wrong = sorted(dict(found.items() ^ locked.items()))
        raise NotRunError(f"not what tests/interop/java/jars.sha256 has: {', '.join(wrong)}")
    _run(javac, "-encoding", "UTF-8", "-cp", f"{jars}/*", "-d", folder / "classes", source / "Steps.java")
    (folder / "hosts").write_text("127.0.0.1 localhost emulator.azure-devices.net\n")


def _built(package, name, build):
    KEPT.mkdir(exist_ok=True)
    folder = KEPT / name
    done = folder / ".done"
    with _alone(KEPT / f"{package}.lock"):
        if not done.exists():
            # A package's name may begin another's: what follows must be a hash.
            for old in KEPT.glob(f"{package}-{'[0-9a-f]' * HASH}"):
                shutil.rmtree(old)
            build(folder)
            done.touch()
    return folder


@contextlib.contextmanager
def _alone(path):
    """Two runs at a time build one environment once."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _hash(*parts):
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:HASH]


def _output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=BUILD).stdout.strip()


def _run(*command):
    """Run one command of a build; what it says last becomes the reason of NotRunError."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=BUILD, env=clean)
    except subprocess.TimeoutExpired:
        raise NotRunError(f"{Path(command[0]).name} took longer than {BUILD} seconds") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise NotRunError(f"{Path(command[0]).name} failed: {said[-1] if said else done.returncode}")
