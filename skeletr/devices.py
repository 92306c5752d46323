"""Which device to compute on."""

from __future__ import annotations

import os

import torch

from skeletr.cores import usable_cores

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "fp32", "bf16")
PRECISION_VARIABLE = "SKELETR_PRECISION"


# Besides PyTorch's own allocator, its libraries ask for memory themselves.
_FULL = (
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_NOT_INITIALIZED",  # so it says where there is no room for its handle
    "CUDNN_STATUS_ALLOC_FAILED",
    "DEVICE_ALLOCATION_FAILED",
)


class DeviceError(ValueError):
    """A device that is not there; the message says what to do."""


def pick_device(name: str = "auto") -> torch.device:
    """CUDA where it is present and wanted, the CPU otherwise.

    Raises DeviceError for an unknown name, or for "cuda" where there is none.
    """
    if name not in DEVICES:
        raise DeviceError(f"unknown device {name!r}, expected one of {', '.join(DEVICES)}")
    if name == "cuda" and not torch.cuda.is_available():
        raise DeviceError("no CUDA device is available; use --device cpu or auto")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a graphics card has no memory left."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _FULL)


def unexpected(error: Exception) -> str:
    """What to say of a file with which something failed that should not; memory is given back."""
    if is_out_of_memory(error):
        torch.cuda.empty_cache()
        return "the graphics card has no memory left; free some, or use --device cpu"
    if isinstance(error, MemoryError):
        return "needs more memory than this machine has left"
    return f"failed unexpectedly ({type(error).__name__}: {error})"


def has_bf16(device: torch.device) -> bool:
    """Whether the processor computes in bfloat16 itself; where it only imitates it, training is
    several times slower than in float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def dtype_of(precision: str) -> torch.dtype:
    """What `for_inference` asks a network in on a CPU: bfloat16 where it computes in it.

    Args:
        precision: one of `PRECISIONS`; "auto" leaves it to the environment variable
        SKELETR_PRECISION, and without that to the processor.

    Raises:
        ValueError: an unknown precision.
    """
    if precision == "auto":
        precision = os.environ.get(PRECISION_VARIABLE) or "auto"
    if precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r}, expected one of {', '.join(PRECISIONS)}")
    if precision == "auto":
        return torch.bfloat16 if has_bf16(torch.device("cpu")) else torch.float32
    return torch.bfloat16 if precision == "bf16" else torch.float32


def share_cores() -> None:
    """Leave half of the processor's cores to the pose model: the network is small, and threads
    that wait for each other on shared cores cost more than they bring."""
    torch.set_num_threads(max(1, usable_cores() // 2))
