"""What a machine says of itself, and what it is silent about."""

from __future__ import annotations

import sys

import psutil
import pytest

from mlflow.tracking.sensors import Sensors, traffic
from tests.tracking import sensors_of

PLAIN = {
    "cpu_utilization_percentage",
    "disk_available_megabytes",
    "disk_usage_megabytes",
    "disk_usage_percentage",
    "system_memory_usage_megabytes",
    "system_memory_usage_percentage",
}


@pytest.fixture(autouse=True)
def _no_devices(monkeypatch):
    for name in ("pynvml", "pyrsmi"):
        monkeypatch.setitem(sys.modules, name, None)


def test_this_machine_says_something():
    seen = Sensors().read()

    assert seen.keys() == PLAIN
    assert 0 < seen["system_memory_usage_percentage"] <= 100


def test_units(monkeypatch):
    sensors_of.install(monkeypatch.setattr)

    assert Sensors().read() == pytest.approx({
        "cpu_utilization_percentage": 10.0,
        "disk_available_megabytes": 30_000.0,
        "disk_usage_megabytes": 20_000.5,
        "disk_usage_percentage": 20.0,
        "system_memory_usage_megabytes": 4123.456789,
        "system_memory_usage_percentage": 41.23456789,
    })  # fmt: skip
    assert traffic() == pytest.approx(
        {"network_receive_megabytes": 2.345678, "network_transmit_megabytes": 1.234567}
    )


def test_devices_of_nvidia(monkeypatch):
    sensors_of.install(monkeypatch.setattr, "nvidia")
    seen = Sensors().read()

    for i in (0, 1):
        assert seen[f"gpu_{i}_memory_usage_megabytes"] == pytest.approx(3012.3456)
        assert seen[f"gpu_{i}_memory_usage_percentage"] == pytest.approx(37.65432)
        assert seen[f"gpu_{i}_utilization_percentage"] == 37
        assert seen[f"gpu_{i}_power_usage_watts"] == pytest.approx(123.456)
        assert seen[f"gpu_{i}_power_usage_percentage"] == pytest.approx(41.152)
    assert len(seen) == len(PLAIN) + 10


def test_devices_of_amd(monkeypatch):
    sensors_of.install(monkeypatch.setattr, "amd")
    seen = Sensors().read()

    assert seen["gpu_0_memory_usage_gigabytes"] == pytest.approx(3.0123456)
    assert seen["gpu_0_power_usage_watts"] == pytest.approx(123.456)
    assert len(seen) == len(PLAIN) + 4


def test_sensors_that_fail_are_left_out(monkeypatch):
    sensors_of.install(monkeypatch.setattr, "nvidia")

    def fail(*_):
        raise RuntimeError("not supported")

    monkeypatch.setattr(psutil, "disk_usage", fail)
    monkeypatch.setattr(sys.modules["pynvml"], "nvmlDeviceGetPowerUsage", fail)
    monkeypatch.setattr(psutil, "net_io_counters", lambda: None)
    seen = Sensors().read()

    assert not [name for name in seen if "disk" in name or "power" in name]
    assert "gpu_1_utilization_percentage" in seen
    assert traffic() == {}


def test_what_a_driver_does_not_know_is_no_value(monkeypatch):
    sensors_of.install(monkeypatch.setattr, "amd")
    monkeypatch.setattr(sys.modules["pyrsmi"].rocml, "smi_get_device_average_power", lambda i: -1)

    assert "gpu_0_power_usage_watts" not in Sensors().read()


def test_no_driver_means_no_devices(monkeypatch):
    sensors_of.install(monkeypatch.setattr, "nvidia")
    monkeypatch.setattr(sys.modules["pynvml"], "nvmlInit", lambda: 1 / 0)

    assert Sensors().read().keys() == PLAIN
