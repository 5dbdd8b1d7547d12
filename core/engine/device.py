"""Choose where and in which precision models run."""

from __future__ import annotations

import ctypes

import torch

from core.errors import InputError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def choose_device(name: str) -> torch.device:
    """Return the device called ``name``; ``auto`` is the first of cuda, mps, xpu, cpu that is there.

    Raises:
        InputError: the device does not exist here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        if torch.backends.mps.is_available():
            return torch.device("mps")
        if hasattr(torch, "xpu") and torch.xpu.is_available():
            return torch.device("xpu")
        return torch.device("cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"settings.device: {name!r} cannot be used here ({reason}). Use 'auto' or 'cpu'.") from None
    return device


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """Return the precision called ``name``; ``auto`` is bfloat16 on a GPU that has it, else float32.

    On the CPU float32 is the default because bfloat16 moves log-likelihoods by more than small adapters do.
    """
    if name != "auto":
        return DTYPES[name]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.bfloat16 if device.type == "xpu" else torch.float32


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what it was given; needed before a clock is read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    elif device.type == "xpu":
        torch.xpu.synchronize(device)


def use_threads(count: int) -> None:
    """Let one operation on the CPU use so many threads."""
    torch.set_num_threads(count)


def threads_in_use() -> int:
    """Return how many threads one operation on the CPU uses."""
    return torch.get_num_threads()


def gpu_name() -> str:
    """Return what the first CUDA device is called."""
    return torch.cuda.get_device_name(0)


def give_back_memory() -> None:
    """Let the C library return what it keeps for later: holes between things that stay serve little that comes."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # not the GNU C library
        return
