"""The native libraries that a process has loaded, and what they say of themselves: BLAS, OpenMP, CUDA."""

from __future__ import annotations

from typing import Any

from kfnb.capture.embedded.machine import kfnb_text_of


def kfnb_loaded_libraries() -> dict[str, str]:
    """The paths of the shared libraries of this process that matter for results, by the beginning of their names."""
    import re

    found: dict[str, str] = {}
    pattern = (
        r"(?m) (/[^\n]*/lib(scipy_openblas|openblas|mkl_rt|mkl_core|blis|blas|cblas|flexiblas|gomp|omp|iomp5|cudart"
        r"|cudnn|nccl)[^/\n]*\.so[^/\n]*)$"
    )
    loaded = re.findall(pattern, kfnb_text_of("/proc/self/maps", 4_000_000))
    for path, name in sorted(
        set(loaded)
    ):  # of two copies always the same one: where they are in memory differs
        found.setdefault(name, path)
    return found


def kfnb_answer_of(library: Any, function: str, kind: Any, *arguments: Any) -> Any:
    """What a function of a loaded library returns; None where the library does not have it."""
    called = getattr(library, function, None)
    if called is None:
        return None
    called.restype = kind
    answer = called(*arguments)
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


def kfnb_blas() -> dict[str, Any]:
    """The BLAS library, the kernel that it chose for this processor, and the threads of each native library.

    Numbers differ in their last digits between kernels and numbers of threads.
    """
    import ctypes

    facts: dict[str, Any] = {"blas_build": None, "blas_kernel": None, "threads": {}}
    for name, path in kfnb_loaded_libraries().items():
        try:
            library = ctypes.CDLL(path)
        except OSError:
            continue
        if name.endswith("openblas"):
            for prefix in ("scipy_", ""):
                for end in ("64_", ""):
                    form = (f"{prefix}openblas_", end)
                    kernel = kfnb_answer_of(library, "get_corename".join(form), ctypes.c_char_p)
                    if kernel:
                        built = kfnb_answer_of(library, "get_config".join(form), ctypes.c_char_p) or ""
                        build = " ".join(word for word in built.split() if word != kernel)
                        facts["blas_build"] = facts["blas_build"] or build
                        facts["blas_kernel"] = facts["blas_kernel"] or kernel
                        facts["threads"][name] = kfnb_answer_of(
                            library, "get_num_threads".join(form), ctypes.c_int
                        )
        elif name in ("gomp", "omp", "iomp5"):
            facts["threads"][name] = kfnb_answer_of(library, "omp_get_max_threads", ctypes.c_int)
        elif name == "mkl_rt":
            facts["blas_build"], facts["blas_kernel"] = "MKL", "MKL"
            facts["threads"][name] = kfnb_answer_of(library, "MKL_Get_Max_Threads", ctypes.c_int)
        elif name in ("blis", "flexiblas", "blas", "cblas"):
            facts["blas_build"] = facts["blas_build"] or path.rpartition("/")[2]
    return facts


def kfnb_drivers_layer(nvml: dict[str, Any]) -> dict[str, Any]:
    """The drivers of accelerators and the libraries above them; ``nvml`` is what ``kfnb_nvml`` has found."""
    import ctypes
    import re

    written = re.search(
        r"(?:Kernel Module|NVRM version:.*?)\s+([\d.]{5,})", kfnb_text_of("/proc/driver/nvidia/version")
    )
    facts = {
        "nvidia": nvml.get("driver") or (written[1] if written else None),
        "cuda": nvml.get("cuda"),
        "cuda_runtime": None,
        "cudnn": None,
        "nccl": None,
        "amdgpu": kfnb_text_of("/sys/module/amdgpu/version") or None,
    }
    ways = {"cudart": ("cuda_runtime", "cudaRuntimeGetVersion"), "nccl": ("nccl", "ncclGetVersion")}
    for name, path in kfnb_loaded_libraries().items():
        if name in ("cudart", "nccl", "cudnn"):
            library, number = ctypes.CDLL(path), ctypes.c_int()
            if name == "cudnn":
                facts["cudnn"] = kfnb_answer_of(library, "cudnnGetVersion", ctypes.c_size_t)
                continue
            fact, function = ways[name]
            if kfnb_answer_of(library, function, ctypes.c_int, ctypes.byref(number)) == 0:
                facts[fact] = number.value
    return facts


def kfnb_open_nvml() -> Any:
    """NVIDIA's management library; None where there is no driver."""
    import ctypes
    import os

    if not (os.path.exists("/proc/driver/nvidia/version") or os.path.exists("/dev/nvidiactl")):
        return None  # looking for a library that is not there starts programs
    try:
        return ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return None


def kfnb_nvml(library: Any) -> dict[str, Any]:
    """What NVML says: ``driver``, ``cuda`` and the ``devices``; empty where it says nothing.

    Memory is in bytes. ``mig`` and ``ecc`` are None for a device that has none.
    """
    import ctypes

    def text(function: str, *given: Any) -> str | None:
        buffer = ctypes.create_string_buffer(96)
        failed = library is None or getattr(library, function)(*given, buffer, ctypes.c_uint(96))
        return None if failed else buffer.value.decode("utf-8", "replace")

    def number(function: str, *given: Any) -> int | None:
        value = ctypes.c_int()
        return None if getattr(library, function)(*given, ctypes.byref(value)) else value.value

    def mode(function: str, device: Any) -> bool | None:
        now, later = ctypes.c_uint(), ctypes.c_uint()
        failed = getattr(library, function)(device, ctypes.byref(now), ctypes.byref(later))
        return None if failed else bool(now.value)

    if library is None or library.nvmlInit_v2():
        return {}
    try:
        cuda = number("nvmlSystemGetCudaDriverVersion_v2")
        devices = []
        for index in range(number("nvmlDeviceGetCount_v2") or 0):
            device, memory = ctypes.c_void_p(), (ctypes.c_ulonglong * 3)()  # total, free, used
            if library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(device)):
                continue
            unknown = library.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory))
            devices.append(
                {
                    "model": text("nvmlDeviceGetName", device),
                    "memory": None if unknown else memory[0],
                    "mig": mode("nvmlDeviceGetMigMode", device),
                    "ecc": mode("nvmlDeviceGetEccMode", device),
                }
            )
        return {
            "driver": text("nvmlSystemGetDriverVersion"),
            "cuda": f"{cuda // 1000}.{cuda % 1000 // 10}" if cuda else None,
            "devices": devices,
        }
    finally:
        library.nvmlShutdown()
