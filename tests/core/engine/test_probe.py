"""The probe measures time, memory, processor and energy of each variant; what the device does not tell is None."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch

from core.engine import energy as energy_module
from core.engine.energy import NO_NVML, NOT_INSTALLED, EnergyMeter
from core.engine.models import Models
from core.engine.probe import REPEATS, probe


def test_each_repeat_has_its_processor_time_and_memory(models: Models) -> None:
    told: list[tuple[int, int]] = []
    found = probe(
        models, ("baseline", "one"), [(5, 6, 7), (8, 9)], new_tokens=3, progress=lambda *step: told.append(step)
    )
    assert found["settings"]["energy"] == NO_NVML
    assert len(found["repeats"]) == 2 * REPEATS * 2
    for repeat in found["repeats"]:
        assert 0 < repeat["cpu_seconds"] < 4 * repeat["seconds"] * (torch.get_num_threads() + 1) + 0.1
        assert repeat["peak_host_bytes"] == repeat["peak_bytes"] > 1e6
        assert repeat["peak_gpu_bytes"] is None and repeat["energy_joules"] is None
    assert told[-1] == (2 * (REPEATS + 1), 2 * (REPEATS + 1))


def test_energy_needs_a_gpu_and_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    with EnergyMeter(torch.device("cpu")) as meter:
        assert (meter.joules(), meter.reason) == (None, NO_NVML)
    monkeypatch.setattr(energy_module, "find_spec", lambda name: None)
    with EnergyMeter(torch.device("cuda:0")) as meter:
        assert (meter.joules(), meter.reason) == (None, NOT_INSTALLED)


class _NvmlError(Exception):
    pass


def _nvml(counter: list[int], fails: bool = False) -> ModuleType:
    library, closed = ModuleType("pynvml"), []

    def total(handle: str) -> int:
        assert handle == b"GPU-1-2-3"
        if fails:
            raise _NvmlError("Not Supported")
        return counter[0]

    library.__dict__.update(
        NVMLError=_NvmlError, nvmlInit=lambda: None, nvmlShutdown=lambda: closed.append(True), closed=closed,
        nvmlDeviceGetHandleByUUID=lambda uuid: uuid, nvmlDeviceGetTotalEnergyConsumption=total,
    )  # fmt: skip
    return library


@pytest.fixture
def fake_gpu(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(energy_module, "find_spec", lambda name: name)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid="1-2-3"))
    return monkeypatch


def test_energy_is_nvmls_counter_in_joules(fake_gpu: pytest.MonkeyPatch) -> None:
    counter = [12_500]
    library = _nvml(counter)
    fake_gpu.setitem(sys.modules, "pynvml", library)
    with EnergyMeter(torch.device("cuda:0")) as meter:
        before = meter.joules()
        counter[0] += 2_500
        after = meter.joules()
        assert (before, after, meter.reason) == (12.5, 15.0, None)
    assert library.closed == [True]


def test_a_gpu_that_does_not_tell_is_a_reason(fake_gpu: pytest.MonkeyPatch) -> None:
    library = _nvml([0], fails=True)
    fake_gpu.setitem(sys.modules, "pynvml", library)
    with EnergyMeter(torch.device("cuda:0")) as meter:
        assert meter.joules() is None
        assert meter.reason == "NVML does not tell this device's energy (Not Supported)"
    assert library.closed == [True]
