"""What ``auto`` means on this machine; where there is no GPU that is known without torch."""

from __future__ import annotations

import platform
from pathlib import Path

from core.spec import Settings

_DRIVER_FILES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dri", "/dev/kfd", "/dev/dxg")


def device_and_dtype(settings: Settings) -> tuple[str, str]:
    """Return the device and the precision that settings mean here.

    Raises:
        InputError: the device is not here.
    """
    device, dtype = settings.device, settings.dtype
    if device == "auto" and not _may_have_gpu():
        device = "cpu"
    if device == "cpu":
        return "cpu", "float32" if dtype == "auto" else dtype
    from core.engine.device import choose_device, choose_dtype

    chosen = choose_device(device)
    return str(chosen), str(choose_dtype(dtype, chosen)).removeprefix("torch.")


def _may_have_gpu() -> bool:
    """Tell whether torch has to be asked for a GPU; without a driver's files there is none."""
    return platform.system() != "Linux" or any(Path(file).exists() for file in _DRIVER_FILES)
