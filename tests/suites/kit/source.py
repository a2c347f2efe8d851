"""Sources of the suites, kept in a cache directory: from Debian, from PyPI, or from a directory that was named."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from rig.machine import BenchError

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
TARGET = "deb-src [signed-by={keyring}] $(REPO_URI) $(RELEASE) $(COMPONENT)"


def cache(*, override):
    """Where sources and environments are kept from one run to the next."""
    if override:
        place = override
    elif "XDG_CACHE_HOME" in os.environ:
        place = Path(os.environ["XDG_CACHE_HOME"]) / "pgweir-suites"
    else:
        place = Path(__file__).resolve().parents[3] / "build" / "suites"
    place.mkdir(parents=True, exist_ok=True)
    return place.resolve()


def run(*command, **options):
    """Output of a command that must succeed."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    except FileNotFoundError as problem:
        raise BenchError(f"{command[0]} is not installed") from problem
    if done.returncode:
        raise BenchError(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout


def unpack(archive, into):
    """The one directory in the archive becomes `into`."""
    beside = into.with_name(into.name + ".new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    run("tar", "-xf", archive, "--no-same-owner", "-C", beside)
    (inside,) = beside.iterdir()
    inside.rename(into)
    beside.rmdir()


class Debian:
    """apt with lists of its own: the machine's sources stay as they are, and no root is needed."""

    def __init__(self, directory):
        self._directory = directory
        for name in ("lists/partial", "cache/archives/partial"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        self._options = [word for option in (
            f"Dir::Etc::SourceList={directory}/sources.list", "Dir::Etc::SourceParts=/dev/null",
            f"Dir::State::Lists={directory}/lists", f"Dir::Cache={directory}/cache",
            "APT::Sandbox::User=") for word in ("-o", option)]

    def source(self, package, into):
        """Unpacks the upstream part of a source package: of the version installed, or the next that is to be had.
        Returns that version."""
        self._update()
        problem = BenchError(f"Debian has no source package {package}")
        for version in self._versions(package):
            place = self._directory / f"{package}_{version}"
            place.mkdir(exist_ok=True)
            try:
                run("apt-get", *self._options, "-q", "source", "--download-only", f"{package}={version}", cwd=place)
            except BenchError as failure:
                problem = failure
                continue
            (archive,) = place.glob("*.orig.tar.*[!c]")
            unpack(archive, into)
            return version
        raise problem

    @staticmethod
    def download(packages, version, into):
        """Packages as files, of that version, not installed."""
        into.mkdir(parents=True, exist_ok=True)
        run("apt-get", "-q", "-o", "APT::Sandbox::User=", "download",
            *(f"{package}={version}" for package in packages), cwd=into)

    def _update(self):
        sources = run("apt-get", "indextargets", "--format", TARGET.format(keyring=KEYRING),
                      "Created-By: Packages", "Origin: Debian")
        (self._directory / "sources.list").write_text("\n".join(sorted(set(sources.splitlines()))) + "\n")
        run("apt-get", *self._options, "-q", "update")

    def _versions(self, package):
        """The installed one first, then the newest first."""
        shown = run("apt-cache", *self._options, "showsrc", "--only-source", package)
        versions = [line.split()[1] for line in shown.splitlines() if line.startswith("Version:")]
        installed = subprocess.run(["dpkg-query", "-W", "-f", "${source:Version}", package],
                                   capture_output=True, text=True).stdout
        return sorted(reversed(versions), key=lambda version: version != installed)


class Environment:
    """A Python with packages of its own."""

    def __init__(self, directory, program=sys.executable):
        self.python = directory / "bin" / "python"
        if not self.python.exists():
            run(program, "-m", "venv", directory)

    def pip(self, *words, **options):
        return run(self.python, "-m", "pip", "--disable-pip-version-check", *words, **options)

    def sdist(self, name, version, into):
        """Unpacks the source distribution of a package."""
        beside = into.parent / "sdist"
        beside.mkdir(exist_ok=True)
        self.pip("download", "--quiet", "--no-deps", "--no-binary", name, "--dest", beside, f"{name}=={version}")
        (archive,) = beside.glob(f"{name}-{version}.tar.gz")
        unpack(archive, into)
