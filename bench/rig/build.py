"""Builds what is measured and the client that measures."""

import os
import subprocess
from pathlib import Path

from .machine import BenchError

ROOT = Path(__file__).resolve().parents[2]


def run(*command):
    done = subprocess.run([str(word) for word in command], cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise BenchError(f"{' '.join(map(str, command))} failed:\n{done.stdout}")


def client():
    directory = ROOT / "build" / "bench"
    run("cmake", "-S", ROOT / "bench", "-B", directory, "-G", "Ninja")
    run("cmake", "--build", directory)
    return directory / "bench_client"


def pgweir(given):
    """The program that was given, or a release build of the checkout."""
    if not given:
        first_time = not (ROOT / "build/release/CMakeCache.txt").exists()
        run("cmake", "--preset", "release", *["-DPGWEIR_TESTS=OFF"] * first_time)
        run("cmake", "--build", "--preset", "release", "--target", "pgweir")
        given = ROOT / "build" / "release" / "pgweir"
    if not os.access(given, os.X_OK):
        raise BenchError(f"{given} is not a program")
    return Path(given).resolve()
