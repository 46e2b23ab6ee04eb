"""Who is measured: the interpreters and programs of each side, and why one cannot be."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What a side is, in an environment of its own; scripts/_peers makes them and says where they are.
STOCK = "MILLSTREAM_STOCK_PYTHON"
FML = "MILLSTREAM_BENCH_FML"
AIM = "MILLSTREAM_BENCH_AIM"
TRACKIO = "MILLSTREAM_BENCH_TRACKIO"
BOTO = "MILLSTREAM_BENCH_BOTO"


@dataclass(frozen=True)
class Side:
    """One of those that are compared.

    Attributes:
        title: as tables have it.
        python: the interpreter that programs run on.
        settings: variables of its programs.
        missing: why it cannot be measured here; nothing when it can.
    """

    title: str
    python: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    missing: str = ""


def find(environment: Mapping[str, str]) -> dict[str, Side]:
    """Return the sides, by name, in the order of the tables' columns."""
    stock = environment.get(STOCK, "")
    absent = "" if stock else _reason(environment, STOCK)
    fml = environment.get(FML, "")
    no_fml = "" if fml else _reason(environment, FML)
    boto = environment.get(BOTO, "")
    sides = {
        "stock": Side("stock MLflow", stock, {"BENCH_BOTO": boto} if boto else {}, absent),
        "fasttrackml": Side(
            "FastTrackML, MLflow's client", stock, {"BENCH_FML": fml}, no_fml or absent
        ),
        "fasttrackml-ours": Side(
            "FastTrackML, our client",
            sys.executable,
            {"BENCH_FML": fml, "BENCH_CLIENT": "1"},
            no_fml,
        ),
    }
    for name, title, variable in (("aim", "Aim", AIM), ("trackio", "Trackio", TRACKIO)):
        python = environment.get(variable, "")
        reason = "" if python else _reason(environment, variable)
        sides[name] = Side(title, python, {"BENCH_TRACKER": name}, reason)
    sides["millstream"] = Side("Millstream", sys.executable)
    return sides


def _reason(environment: Mapping[str, str], variable: str) -> str:
    """Return why there is no such environment: the last line of what its installation said."""
    log = environment.get(f"{variable}_LOG", "")
    try:
        lines = Path(log).read_text(encoding="utf-8", errors="replace").split("\n") if log else []
    except OSError:
        lines = []
    said = [line.strip() for line in lines if line.strip()]
    return f"it could not be installed: {said[-1][:200]}" if said else f"{variable} is not set"


def versions(sides: Mapping[str, Side]) -> dict[str, str]:
    """Return the versions of the distributions that are compared."""
    names = ("millstream", "mlflow", "aim", "trackio")
    code = (
        "import importlib.metadata as m, json\n"
        f"print(json.dumps({{d.metadata['Name'].lower(): d.version for d in m.distributions() "
        f"if (d.metadata['Name'] or '').lower() in {names!r}}}))"
    )
    found: dict[str, str] = {}
    for side in sides.values():
        if not side.missing and side.python:
            done = subprocess.run([side.python, "-c", code], capture_output=True, check=True)
            found |= {k: v for k, v in json.loads(done.stdout).items() if k not in found}
    fml = sides["fasttrackml"].settings.get("BENCH_FML") if "fasttrackml" in sides else ""
    if fml:
        done = subprocess.run([fml, "--version"], capture_output=True, text=True, check=False)
        found["fasttrackml"] = (done.stdout or done.stderr).strip().split()[-1:][0]
    return dict(sorted(found.items()))


def machine() -> dict[str, Any]:
    """Return what the machine is."""
    model = platform.processor() or platform.machine()
    memory = 0
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if "model name" in line:
                model = line.split(":", 1)[1].strip()
                break
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError, AttributeError):
        pass
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
