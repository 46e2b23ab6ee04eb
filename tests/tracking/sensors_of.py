"""A machine whose sensors say what is written here, to be put in place of the real one."""

from __future__ import annotations

import itertools
import sys
import types
from typing import NamedTuple


class Memory(NamedTuple):
    total: float
    available: float
    percent: float
    used: float
    free: float


class Disk(NamedTuple):
    total: float
    used: float
    free: float
    percent: float


class Traffic(NamedTuple):
    bytes_sent: int
    bytes_recv: int


class Device(NamedTuple):
    total: float
    free: float
    used: float


class Rates(NamedTuple):
    gpu: int
    memory: int


def install(put, which=""):
    """Replace the readings of psutil, and of `nvidia` or `amd` devices, by repeating ones.

    Args:
        put: `setattr` or one that is undone later.
        which: the devices.
    """
    import psutil

    def saying(*values):
        turns = itertools.cycle(values)
        return lambda *_, **__: next(turns)

    calls = itertools.count(1)
    put(psutil, "cpu_percent", saying(10.0, 20.0, 40.0))
    put(psutil, "virtual_memory", saying(*(Memory(1e10, 5e9, 50.0, u, 1e9) for u in USED)))
    put(
        psutil,
        "disk_usage",
        saying(
            Disk(1e11, 2.00005e10, 3e10, 20.0),
            Disk(1e11, 2.3e10, 3.17e10, 20.5),
            Disk(1e11, 2.1e10, 3.1e10, 20.0),
        ),
    )
    put(psutil, "net_io_counters", lambda *_, **__: _carried(next(calls)))
    if which == "nvidia":
        sys.modules["pynvml"] = _nvidia()
    if which == "amd":
        sys.modules["pyrsmi"] = types.ModuleType("pyrsmi")
        sys.modules["pyrsmi"].rocml = sys.modules["pyrsmi.rocml"] = _amd()


USED = (4.123456789e9, 4.223456789e9, 4.323456789e9)


def _carried(turn):
    return Traffic(turn * 1_234_567, turn * 2_345_678)


def _nvidia():
    module = types.ModuleType("pynvml")
    module.NVMLError = type("NVMLError", (Exception,), {})
    module.nvmlInit = module.nvmlShutdown = lambda: None
    module.nvmlDeviceGetCount = lambda: 2
    module.nvmlDeviceGetHandleByIndex = lambda i: i
    module.nvmlDeviceGetMemoryInfo = lambda i: Device(8e9, 5e9, 3.0123456e9)
    module.nvmlDeviceGetUtilizationRates = lambda i: Rates(37, 11)
    module.nvmlDeviceGetPowerUsage = lambda i: 123_456
    module.nvmlDeviceGetEnforcedPowerLimit = lambda i: 300_000
    return module


def _amd():
    module = types.ModuleType("pyrsmi.rocml")
    module.smi_initialize = module.smi_shutdown = lambda: None
    module.smi_get_device_count = lambda: 1
    module.smi_get_device_memory_used = lambda i: 3.0123456e9
    module.smi_get_device_memory_total = lambda i: 8e9
    module.smi_get_device_utilization = lambda i: 37
    module.smi_get_device_average_power = lambda i: 123.456
    return module
