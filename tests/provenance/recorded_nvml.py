# ruff: noqa: N802 - the names are those of NVML
"""Answers of NVML, as its C functions give them."""

from __future__ import annotations

from typing import Any


class RecordedNvml:
    """A machine with two A100, one of them in MIG mode."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken, self.closed = broken, False
        self.names = [b"NVIDIA A100-SXM4-80GB", b"NVIDIA A100-SXM4-80GB"]

    def nvmlInit_v2(self) -> int:
        return 9 if self.broken else 0

    def nvmlShutdown(self) -> int:
        self.closed = True
        return 0

    def nvmlSystemGetDriverVersion(self, buffer: Any, size: Any) -> int:
        buffer.value = b"550.54.15"
        return 0

    def nvmlSystemGetCudaDriverVersion_v2(self, number: Any) -> int:
        number._obj.value = 12040
        return 0

    def nvmlDeviceGetCount_v2(self, number: Any) -> int:
        number._obj.value = 2
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: Any, device: Any) -> int:
        device._obj.value = index.value + 1
        return 0

    def nvmlDeviceGetName(self, device: Any, buffer: Any, size: Any) -> int:
        buffer.value = self.names[device.value - 1]
        return 0

    def nvmlDeviceGetMemoryInfo(self, device: Any, memory: Any) -> int:
        memory._obj[0] = 85899345920
        return 0

    def nvmlDeviceGetMigMode(self, device: Any, now: Any, later: Any) -> int:
        now._obj.value = device.value == 2
        return 0

    def nvmlDeviceGetEccMode(self, device: Any, now: Any, later: Any) -> int:
        return 3  # NVML_ERROR_NOT_SUPPORTED
