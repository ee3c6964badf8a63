"""The machine that was measured on: what explains its numbers, and nothing that identifies it."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import attrs

from benchmarks import vendor
from benchmarks.contenders import installed


def description() -> str:
    """One paragraph."""
    releases = {contender.distribution: contender.version for contender in installed() if contender.distribution}
    named = ", ".join(f"{name} {version}" for name, version in releases.items())
    npm = f", npm's workos {vendor.version()}" if vendor.version() else ""
    return (
        f"{_processor()}, {os.cpu_count()} cores; {platform.system()}; "
        f"{platform.python_implementation()} {platform.python_version()}; "
        f"attrs {attrs.__version__}, {named}{npm}."
    )


def load() -> str:
    """How many processes wanted the processors, on average of the last minutes."""
    return " ".join(f"{average:.1f}" for average in os.getloadavg())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
