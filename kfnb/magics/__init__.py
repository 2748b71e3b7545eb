"""The notebook's side of kfnb: magics, their completion, and the displays. They parse, call and display."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from kfnb.magics.kernel import Kernel

_kernels: dict[int, Kernel] = {}


def load(shell: InteractiveShell) -> None:
    """Connect kfnb with a shell: its magics, its settings, its ``kf``, its eye on the cells."""
    if id(shell) in _kernels:
        return
    from kfnb import config
    from kfnb.capture.kf import Kf
    from kfnb.magics import completion, display
    from kfnb.magics.kernel import Kernel
    from kfnb.magics.magics import KfnbMagics
    from kfnb.pipeline.workspace import use

    kernel = Kernel(shell)
    kernel.connect()
    _kernels[id(shell)] = kernel
    use(kernel.workspace)
    shell.register_magics(KfnbMagics(kernel))
    shell.configurables.append(config.reset(start=kernel.notebook.folder, config=shell.config))
    shell.user_ns.setdefault("kf", Kf())
    display.register(shell, lambda: kernel.attended)
    completion.register(shell, kernel.workspace)


def kernel_of(shell: InteractiveShell) -> Kernel:
    """What kfnb knows of a shell that it is loaded into."""
    return _kernels[id(shell)]


def unload(shell: InteractiveShell) -> None:
    """Undo ``load``; what the notebook defined is forgotten."""
    kernel = _kernels.pop(id(shell), None)
    if kernel is None:
        return
    kernel.disconnect()
    for kind in ("line", "cell"):
        known = shell.magics_manager.magics[kind]
        for name in [name for name in known if name.startswith("kf_")]:
            del known[name]
    shell.configurables[:] = [one for one in shell.configurables if type(one).__name__ != "Kfnb"]
