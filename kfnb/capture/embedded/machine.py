"""The machine that a process runs on: its system, its processor, its container."""

from __future__ import annotations

from typing import Any


def kfnb_variables_that_change_results() -> frozenset[str]:
    """The environment variables whose values a manifest has: of all others it has the names alone."""
    text = """
        BLIS_NUM_THREADS CUBLAS_WORKSPACE_CONFIG CUDA_DEVICE_ORDER CUDA_LAUNCH_BLOCKING CUDA_MODULE_LOADING
        CUDA_VISIBLE_DEVICES CUDNN_FRONTEND_ATTN_DP_WORKSPACE_LIMIT GOTO_NUM_THREADS HIP_VISIBLE_DEVICES
        HSA_OVERRIDE_GFX_VERSION JAX_DEFAULT_MATMUL_PRECISION JAX_ENABLE_X64 JAX_PLATFORMS KMP_AFFINITY KMP_BLOCKTIME
        LANG LANGUAGE LC_ALL LC_COLLATE LC_CTYPE LC_MESSAGES LC_MONETARY LC_NUMERIC LC_TIME MKL_CBWR
        MKL_DEBUG_CPU_TYPE MKL_ENABLE_INSTRUCTIONS MKL_NUM_THREADS MKL_THREADING_LAYER NCCL_ALGO NCCL_PROTO
        NPY_DISABLE_CPU_FEATURES NPY_ENABLE_CPU_FEATURES NUMBA_CPU_NAME NUMBA_NUM_THREADS NUMEXPR_NUM_THREADS
        NVIDIA_TF32_OVERRIDE NVIDIA_VISIBLE_DEVICES OMP_DYNAMIC OMP_NUM_THREADS OMP_PLACES OMP_PROC_BIND OMP_SCHEDULE
        OMP_THREAD_LIMIT OPENBLAS_CORETYPE OPENBLAS_NUM_THREADS PYTHONHASHSEED PYTHONOPTIMIZE PYTHONUTF8
        PYTORCH_CUDA_ALLOC_CONF ROCR_VISIBLE_DEVICES TF_CUDNN_DETERMINISTIC TF_DETERMINISTIC_OPS
        TF_ENABLE_ONEDNN_OPTS TORCH_ALLOW_TF32_CUBLAS_OVERRIDE TZ VECLIB_MAXIMUM_THREADS XLA_FLAGS
    """
    return frozenset(text.split())


def kfnb_text_of(path: str, most: int = 100_000) -> str:
    """The beginning of a file of the system; empty where it is not there, or may not be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(most).strip("\0\n ")
    except OSError:
        return ""


def kfnb_tooling_layer() -> dict[str, Any]:
    """The Python of this process, and how it was built."""
    import platform

    number, date = platform.python_build()
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "build": f"{number} {date}".strip(),
        "compiler": platform.python_compiler(),
    }


def kfnb_os_layer() -> dict[str, Any]:
    """The operating system: what programs see of it, and which variables that change results are set.

    Variables have their values only where they are in a list of those that change results; the others are named alone.
    """
    import locale
    import os
    import platform
    import re
    import sys
    import time

    release = kfnb_text_of("/etc/os-release") or kfnb_text_of("/usr/lib/os-release")
    release_facts = dict(re.findall(r'(?m)^(\w+)="?([^"\n]*)', release))
    libc = " ".join(platform.libc_ver()).strip()
    valued = kfnb_variables_that_change_results()
    values, names = {}, []
    for name, value in sorted(os.environ.items()):
        harmless = re.fullmatch(r"[\w.:,/+=-]{0,200}", value) and "://" not in value
        random = re.search(r"[A-Za-z0-9]{21,}|(?=[A-Za-z]*\d)[A-Za-z0-9]{13,}", value)  # as tokens are
        if name in valued and harmless and not random:
            values[name] = value
        elif not name.startswith("KFNB_"):  # those are kfnb's own, of each step
            names.append(name)
    spoken = locale.setlocale(locale.LC_ALL).split(";")
    system = "Darwin" if sys.platform == "darwin" else release_facts.get("PRETTY_NAME", platform.system())
    return {
        "distribution": f"macOS {platform.mac_ver()[0]}" if system == "Darwin" else system,
        "kernel": f"{platform.system()} {platform.release()}",
        "libc": libc or None,
        "locale": ";".join(part for part in spoken if not part.endswith("=C")) or "C",
        "encoding": sys.getfilesystemencoding(),
        "timezone": f"{time.tzname[0]} {-time.timezone / 3600:+g} h",
        "hash_seed": os.environ.get("PYTHONHASHSEED") or ("random" if sys.flags.hash_randomization else "0"),
        "environment": values,
        "variables": names,
        "limits": kfnb_limits(),
    }


def kfnb_limits() -> dict[str, int | None]:
    """The limits of this process; None for none."""
    try:
        import resource
    except ImportError:  # Windows
        return {}
    kinds = {"files": "NOFILE", "processes": "NPROC", "stack": "STACK", "memory": "AS", "locked": "MEMLOCK"}
    found = {}
    for name, kind in kinds.items():
        if hasattr(resource, f"RLIMIT_{kind}"):
            soft = resource.getrlimit(getattr(resource, f"RLIMIT_{kind}"))[0]
            found[name] = None if soft == resource.RLIM_INFINITY else soft
    return found


def kfnb_hardware_layer() -> dict[str, Any]:
    """The processor, with its features that change results, and the memory, in bytes."""
    import os
    import platform
    import re

    cpu = dict(
        re.findall(r"(?m)^([^\t:\n]+?)\s*: ?(.*)$", kfnb_text_of("/proc/cpuinfo", 20_000).split("\n\n")[0])
    )
    kept = re.compile(
        r"avx\w*|amx\w*|fma\w*|sse\w*|ssse3|f16c|bmi\d|asimd\w*|sve\w*|neon|bf16|i8mm|vsx|fphp|atomics"
    )
    flags = sorted(filter(kept.fullmatch, (cpu.get("flags") or cpu.get("Features") or "").split()))
    memory = re.search(r"MemTotal:\s+(\d+) kB", kfnb_text_of("/proc/meminfo", 2000))
    model = cpu.get("model name") or cpu.get("CPU part") or platform.processor() or None
    numbers = " ".join(
        f"{word} {cpu[key]}"
        for word, key in (("family", "cpu family"), ("model", "model"), ("stepping", "stepping"))
        if cpu.get(key)
    )
    return {
        "cpu": f"{model} ({numbers})" if model and numbers else model,
        "flags": flags,
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "memory": int(memory[1]) * 1024 if memory else None,
        "microcode": cpu.get("microcode"),
        "vendor": kfnb_text_of("/sys/class/dmi/id/sys_vendor") or None,
        "machine": kfnb_text_of("/sys/class/dmi/id/product_name") or None,
    }


def kfnb_runtime_layer() -> dict[str, Any]:
    """What is between the process and the machine: a container, its limits, virtualization."""
    import os
    import re

    def limit(files: list[str]) -> str:
        return next((text for text in map(kfnb_text_of, files) if text), "")

    groups = dict(re.findall(r"(?m)^\d+:([^:]*):(.*)$", kfnb_text_of("/proc/self/cgroup")))
    two = groups.get("", "/").rstrip("/")
    one = {name: f"/sys/fs/cgroup/{name}{groups.get(name, '').rstrip('/')}" for name in ("cpu", "memory")}
    root = "/sys/fs/cgroup"
    share = limit([f"{root}{two}/cpu.max", f"{root}/cpu.max"]).split()
    if not share:
        quota = limit([f"{one['cpu']}/cpu.cfs_quota_us", f"{root}/cpu/cpu.cfs_quota_us"])
        share = [quota, limit([f"{one['cpu']}/cpu.cfs_period_us", f"{root}/cpu/cpu.cfs_period_us"])]
    memory = limit(
        [
            *(f"{root}{part}/memory.max" for part in (two, "")),
            *(f"{folder}/memory.limit_in_bytes" for folder in (one["memory"], f"{root}/memory")),
        ]
    )
    limited = len(share) > 1 and share[0].isdigit() and share[1].isdigit()
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    pod = "KUBERNETES_SERVICE_HOST" in os.environ
    inside = os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv")
    known = re.search(r"docker|containerd|crio|kubepods|libpod|lxc", kfnb_text_of("/proc/self/cgroup"))
    account = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
    return {
        "container": "Kubernetes" if pod else known[0] if known else "container" if inside else None,
        "cpus": affinity,
        "cpu_limit": int(share[0]) / max(int(share[1]), 1) if limited else None,
        # what is beyond 2 ** 60 is how older systems say that there is none
        "memory_limit": int(memory) if memory.isdigit() and int(memory) < 1 << 60 else None,
        "virtualization": kfnb_virtualization(),
        **({"namespace": kfnb_text_of(account) or None, "pod": os.environ.get("HOSTNAME")} if pod else {}),
    }


def kfnb_virtualization() -> str | None:
    """What virtualizes the machine, as far as it can be seen; None for nothing that can be seen."""
    import re

    maker = f"{kfnb_text_of('/sys/class/dmi/id/sys_vendor')} {kfnb_text_of('/sys/class/dmi/id/product_name')}"
    known = re.search(
        r"(?i)qemu|kvm|vmware|virtualbox|xen|hyper-v|amazon ec2|google compute|firecracker", maker
    )
    if known:
        return known[0]
    kind = kfnb_text_of("/sys/hypervisor/type")
    hypervisor = re.search(r"(?m)^flags.*\bhypervisor\b", kfnb_text_of("/proc/cpuinfo", 20_000))
    return kind or ("hypervisor" if hypervisor else None)


def kfnb_file_system() -> str | None:
    """The type of the file system of the folder that the process is in."""
    import os
    import re

    here, best, kind = os.path.realpath("."), "", None
    for point, found in re.findall(
        r"(?m)^\d+ \d+ \S+ \S+ (\S+) .*? - (\S+) ", kfnb_text_of("/proc/self/mountinfo")
    ):
        place = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), point)
        if (here + "/").startswith(place.rstrip("/") + "/") and len(place) >= len(best):
            best, kind = place, found
    return kind
