"""The energy that a GPU has used, from NVIDIA's management library; a reason where there is no such figure."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch

NO_NVML = "no NVML on this device"
NOT_INSTALLED = "the Python package nvidia-ml-py, which reads NVML, is not installed"


class EnergyMeter:
    """Reads the counter of all energy that a GPU has used, by whatever process; closes NVML with its ``with`` block."""

    def __init__(self, device: torch.device) -> None:
        """Prepare for a device; `reason` then says why there is no figure, if there is none."""
        self.device = device
        self.reason: str | None = NO_NVML if device.type != "cuda" else None
        if self.reason is None and find_spec("pynvml") is None:
            self.reason = NOT_INSTALLED
        self._nvml: Any = None
        self._handle: Any = None

    def __enter__(self) -> EnergyMeter:
        if self.reason is None:
            import pynvml  # pyright: ignore[reportMissingImports]

            try:
                pynvml.nvmlInit()
                self._nvml = pynvml
                uuid = str(torch.cuda.get_device_properties(self.device).uuid)
                self._handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}".encode())
                pynvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)
            except (pynvml.NVMLError, AttributeError) as error:
                self.reason = f"NVML does not tell this device's energy ({error})"
        return self

    def joules(self) -> float | None:
        """Return the counter, in joules since the driver was loaded; None where there is none."""
        if self.reason is not None:
            return None
        return self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle) / 1000

    def __exit__(self, *_: object) -> None:
        if self._nvml is not None:
            self._nvml.nvmlShutdown()
