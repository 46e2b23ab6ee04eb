"""What a machine can say of itself: processor, memory, disk, network and graphics processors.

Names and units are MLflow's. What a machine has no sensor for is left out.
"""

from __future__ import annotations

import logging
import os
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Sensor = Callable[[], dict[str, float]]

_logger = logging.getLogger("mlflow.system_metrics")

MEGA, GIGA = 1e6, 1e9


class Sensors:
    """The sensors of this machine.

    The utilization of the processor is that since the reading before, in the same thread.
    """

    def __init__(self) -> None:
        self._all: list[Sensor] = [_processor, _memory, _disk]
        self._all += _nvidia() or _amd()

    def read(self) -> dict[str, float]:
        """Read each sensor once; those that fail are left out."""
        found: dict[str, float] = {}
        for sensor in self._all:
            try:
                found.update(sensor())
            except Exception:
                _logger.debug("A sensor cannot be read:", exc_info=True)
        return {name: value for name, value in found.items() if isfinite(value) and value >= 0}


def traffic() -> dict[str, float]:
    """Return what the network has carried since the machine was started, in megabytes."""
    import psutil

    try:
        seen = psutil.net_io_counters()
    except OSError:
        seen = None
    if seen is None:  # a machine without a network
        return {}
    return {
        "network_receive_megabytes": seen.bytes_recv / MEGA,
        "network_transmit_megabytes": seen.bytes_sent / MEGA,
    }


def _processor() -> dict[str, float]:
    import psutil

    return {"cpu_utilization_percentage": psutil.cpu_percent()}


def _memory() -> dict[str, float]:
    import psutil

    seen = psutil.virtual_memory()
    return {
        "system_memory_usage_megabytes": seen.used / MEGA,
        "system_memory_usage_percentage": seen.used / seen.total * 100,
    }


def _disk() -> dict[str, float]:
    import psutil

    seen = psutil.disk_usage(os.sep)
    return {
        "disk_usage_percentage": seen.percent,
        "disk_usage_megabytes": seen.used / MEGA,
        "disk_available_megabytes": seen.free / MEGA,
    }


def _nvidia() -> list[Sensor]:
    try:
        import pynvml

        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
    except Exception:
        _logger.debug("No NVIDIA devices are read:", exc_info=True)
        return []
    return [one for i, handle in enumerate(handles) for one in _of_nvidia(pynvml, i, handle)]


def _of_nvidia(pynvml: Any, i: int, handle: Any) -> list[Sensor]:
    def memory() -> dict[str, float]:
        seen = pynvml.nvmlDeviceGetMemoryInfo(handle)
        return {
            f"gpu_{i}_memory_usage_percentage": seen.used / seen.total * 100,
            f"gpu_{i}_memory_usage_megabytes": seen.used / MEGA,
        }

    def utilization() -> dict[str, float]:
        seen = pynvml.nvmlDeviceGetUtilizationRates(handle)
        return {f"gpu_{i}_utilization_percentage": seen.gpu}

    def power() -> dict[str, float]:
        milliwatts = pynvml.nvmlDeviceGetPowerUsage(handle)
        return {f"gpu_{i}_power_usage_watts": milliwatts / 1000}

    def share_of_power() -> dict[str, float]:
        limit = pynvml.nvmlDeviceGetEnforcedPowerLimit(handle)
        milliwatts = pynvml.nvmlDeviceGetPowerUsage(handle)
        return {f"gpu_{i}_power_usage_percentage": milliwatts / limit * 100}

    return [memory, utilization, power, share_of_power]


def _amd() -> list[Sensor]:
    try:
        from pyrsmi import rocml

        rocml.smi_initialize()
        count = rocml.smi_get_device_count()
    except Exception:
        _logger.debug("No AMD devices are read:", exc_info=True)
        return []
    return [one for i in range(count) for one in _of_amd(rocml, i)]


def _of_amd(rocml: Any, i: int) -> list[Sensor]:
    def memory() -> dict[str, float]:
        used, total = rocml.smi_get_device_memory_used(i), rocml.smi_get_device_memory_total(i)
        return {
            f"gpu_{i}_memory_usage_percentage": used / total * 100,
            f"gpu_{i}_memory_usage_gigabytes": used / GIGA,
        }

    def utilization() -> dict[str, float]:
        return {f"gpu_{i}_utilization_percentage": rocml.smi_get_device_utilization(i)}

    def power() -> dict[str, float]:
        # The limit is not to be had, so there is no percentage.
        return {f"gpu_{i}_power_usage_watts": rocml.smi_get_device_average_power(i)}

    return [memory, utilization, power]
