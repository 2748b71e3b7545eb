"""Functions whose source travels with a step: how values are loaded and saved there, and what ``kf`` is there.

A compiled step needs Python and its packages, not kfnb; so each function here imports what it needs inside, calls
only functions of this file, and is copied as text into the step: of all of them, those that the step uses
(``with_needed``), packed by ``pipeline.packing``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def kfnb_load(artifact: Any, classes: Mapping[str, Any]) -> Any:
    """Read the value of an artifact; ``classes`` are the notebook's that this step has, by name."""
    import json
    from pkgutil import resolve_name

    if artifact is None:
        return None
    path = artifact.path
    # a file from elsewhere: its name says what it is
    form = artifact.metadata.get("format") or artifact.uri.rpartition(".")[2].lower()
    if form == "cloudpickle":
        return kfnb_unpickle(path, classes)
    if form == "json":
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    readers = {
        "parquet": "pandas.read_parquet",
        "series-parquet": "pandas.read_parquet",
        "csv": "pandas.read_csv",
        "polars-parquet": "polars.read_parquet",
        "arrow-parquet": "pyarrow.parquet.read_table",
        "npy": "numpy.load",
        "skops": "skops.io.load",
    }
    if form not in readers:
        raise ValueError(
            f"{artifact.uri} has no format that is known here; give a .parquet, .csv, .npy or .json file"
        )
    value = resolve_name(readers[form])(path)
    return value.iloc[:, 0].rename(value.columns[0] or None) if form == "series-parquet" else value


def kfnb_save(
    value: Any, artifact: Any, classes: Mapping[str, Any], write: Callable[..., str] | None = None
) -> None:
    """Write a value to an artifact by ``write``, where that gives it back unchanged; else pickled."""
    try:
        form = write(value, artifact.path) if write else ""
    except Exception:
        form = ""  # the format cannot hold it, or its library is not here
    form = form or kfnb_pickle(value, artifact.path, classes)
    kind = type(value)
    artifact.metadata.update(format=form, python_type=f"{kind.__module__}.{kind.__name__}")
    if hasattr(value, "shape"):
        artifact.metadata["shape"] = " x ".join(map(str, value.shape))


def kfnb_write_pandas(value: Any, path: str) -> str:
    """A DataFrame or a Series of pandas as Parquet; the name of its format, empty where that does not hold it."""
    import pandas

    def like(axis: Any) -> Any:
        return type(axis), list(axis.names), getattr(axis, "freq", None)

    def simple(frame: Any) -> bool:
        objects = [name for name in frame.columns if str(frame[name].dtype) == "object"]
        return all(type(item) in (str, bool, type(None)) for name in objects for item in frame[name])

    def same(one: Any, two: Any) -> bool:
        same_axes = one.columns.equals(two.columns) and one.index.equals(two.index)
        same_kinds = like(one.index) == like(two.index) and like(one.columns) == like(two.columns)
        same_types = list(one.dtypes) == list(two.dtypes) and simple(one) and simple(two)
        return same_axes and same_kinds and same_types and bool(one.equals(two)) and not one.attrs

    form, frame = "parquet", value
    if type(value) is pandas.Series and (value.name is None or type(value.name) is str):
        form, frame = "series-parquet", value.to_frame("" if value.name is None else value.name)
    if type(frame) is not pandas.DataFrame:
        return ""
    frame.to_parquet(path, engine="pyarrow")
    return form if same(frame, pandas.read_parquet(path, engine="pyarrow")) else ""


def kfnb_write_polars(value: Any, path: str) -> str:
    """A DataFrame of polars as Parquet."""
    import polars

    if type(value) is not polars.DataFrame:
        return ""
    value.write_parquet(path)
    return "polars-parquet" if polars.read_parquet(path).equals(value) else ""


def kfnb_write_arrow(value: Any, path: str) -> str:
    """A table of Arrow as Parquet."""
    import pyarrow.parquet

    if type(value) is not pyarrow.Table:
        return ""
    pyarrow.parquet.write_table(value, path)
    return "arrow-parquet" if pyarrow.parquet.read_table(path).equals(value) else ""


def kfnb_write_array(value: Any, path: str) -> str:
    """An array of numpy in numpy's own format."""
    import numpy

    if type(value) is not numpy.ndarray:
        return ""
    with open(path, "wb") as file:
        numpy.save(file, value, allow_pickle=False)
    return "npy"


def kfnb_write_estimator(value: Any, path: str) -> str:
    """An estimator of scikit-learn by skops."""
    import skops.io
    from sklearn.base import BaseEstimator

    if not isinstance(value, BaseEstimator):
        return ""
    with open(path, "wb") as file:
        file.write(skops.io.dumps(value))
    # a file with types that skops does not vouch for is no safer than a pickle
    return "" if skops.io.get_untrusted_types(file=path) else "skops"


def kfnb_write_json(value: Any, path: str) -> str:
    """Lists, dicts, texts, integers and None as JSON."""
    import json

    def same(one: Any, two: Any) -> bool:
        if type(one) is not type(two):
            return False
        if type(one) is list:
            return len(one) == len(two) and all(map(same, one, two))
        if type(one) is dict:
            return list(one) == list(two) and all(same(one[key], two[key]) for key in one)
        return bool(one == two)

    def containers(value: Any) -> list[int]:
        """The ids of all lists and dicts in a value: one that is there twice is one object, which JSON forgets."""
        if type(value) not in (list, dict):
            return []
        parts = value.values() if type(value) is dict else value
        return [id(value), *(one for part in parts for one in containers(part))]

    if type(value) not in (dict, list, str, int, type(None)):
        return ""
    text = json.dumps(value, allow_nan=False)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    found = containers(value)
    return "json" if same(value, json.loads(text)) and len(set(found)) == len(found) else ""


def kfnb_pickle(value: Any, path: str, classes: Mapping[str, Any]) -> str:
    """A pickle in which the notebook's classes and functions go by name, and by value for a step without them.

    So that an instance is, in the next step, one of that step's own class. ``classes`` are those of this step, with
    its functions.
    """
    import io
    import sys
    from types import FunctionType

    import cloudpickle

    # what this very file defines is in no other step: it goes by value
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    by_class = {known: name for name, known in classes.items() if isinstance(known, type | FunctionType)}
    done: dict[Any, bytes] = {}

    def dumps(value: Any, busy: tuple[Any, ...] = ()) -> bytes:
        class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
            def persistent_id(self, item: Any) -> Any:
                if not isinstance(item, type | FunctionType) or item in busy:
                    return None
                name = by_class.get(item) or vars(item).get("__kfnb_name__")
                if name is None:
                    return None
                if item not in done:
                    done[item] = dumps(item, (*busy, item))
                return name, done[item]

        file = io.BytesIO()
        Pickler(file).dump(value)
        return file.getvalue()

    with open(path, "wb") as file:
        file.write(dumps(value))
    return "cloudpickle"


def kfnb_unpickle(path: str, classes: Mapping[str, Any]) -> Any:
    """What ``kfnb_pickle`` wrote, with this step's own ``classes`` where it has them."""
    import io
    import pickle
    import sys

    main = sys.modules["__main__"]
    loaded: dict[str, Any] = dict(classes)

    def loads(data: bytes) -> Any:
        class Unpickler(pickle.Unpickler):
            def persistent_load(self, known: Any) -> Any:
                name, by_value = known
                if name not in loaded:
                    loaded[name] = loads(by_value)
                    loaded[name].__kfnb_name__ = name
                    # plain pickle writes it by its name, so it has to be found there, as in the notebook
                    vars(main).setdefault(name, loaded[name])
                return loaded[name]

        return Unpickler(io.BytesIO(data)).load()

    with open(path, "rb") as file:
        return loads(file.read())


def kfnb_value(value: Any, kind: type, name: str) -> Any:
    """An output that is a parameter, as the type that it had when the cell ran in the notebook."""
    import json

    def kept(value: Any) -> bool:
        if type(value) is list:
            return all(map(kept, value))
        if type(value) is dict:
            return all(type(key) is str and kept(item) for key, item in value.items())
        if type(value) is int:
            return abs(value) <= 2**53
        return type(value) in (str, bool, type(None)) or (type(value) is float and value - value == 0.0)

    value = value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value
    value = list(value) if kind is list and isinstance(value, list) else value
    value = float(value) if kind is float and type(value) is int else value
    if type(value) is not kind:
        raise TypeError(
            f"{name} was {kind.__name__} when its cell ran in the notebook, and is {value!r} here"
        )
    if not kept(value):
        raise ValueError(
            f"{name} is {str(value)[:200]} here: a KFP parameter holds what JSON does, and finite numbers"
        )
    if len(json.dumps(value)) > 10**6:
        raise ValueError(f"{name} is too long for a KFP parameter here: make it an array, a table or a file")
    return value


def kfnb_floats(value: Any, *, where: Any = True) -> Any:
    """A list or dict with floats where KFP may have written integers.

    ``where`` they are: True is everywhere; a dict tells it by keys or places, ``"*"`` standing for all of them.
    """
    if not where:
        return value

    def inside(key: Any) -> Any:
        return where if where is True else where.get("*", where.get(key))

    if isinstance(value, list):
        return [kfnb_floats(item, where=inside(place)) for place, item in enumerate(value)]
    if isinstance(value, dict):
        return {key: kfnb_floats(item, where=inside(key)) for key, item in value.items()}
    return float(value) if where is True and type(value) is int else value


def kfnb_copy(source: str, target: str) -> None:
    """Copy a file, with its time and whether it can be run; as a clone that takes no room, where there are such."""
    import os
    import shutil

    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    try:
        from fcntl import ioctl

        with open(source, "rb") as old, open(target, "wb") as new:
            ioctl(new.fileno(), 0x40049409, old.fileno())  # FICLONE
    except (ImportError, OSError):
        shutil.copyfile(source, target)
    status = os.stat(source)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.chmod(target, status.st_mode | 0o600)


def kfnb_files_in(
    folders: Sequence[str], beside: Mapping[str, str], *earlier: Any
) -> tuple[str, dict[str, Any]]:
    """Enter a folder of the step's own, with the files that it reads; the folder, and what lies in it then.

    ``folders`` are made; ``beside`` are files of the notebook's folder with their content, packed, or the digest of one
    that stays there; ``earlier`` are artifacts with files by their paths: larger ones of the notebook's folder, and
    what steps before left.
    """
    import base64
    import os
    import tempfile
    import zlib

    # where kfnb runs the step, what it leaves is kept with the run
    notebook, own = os.environ.get("KFNB_FOLDER", ""), os.environ.get("KFNB_WORK", "")
    if own:
        os.makedirs(own, exist_ok=True)
    os.chdir(own or tempfile.mkdtemp(prefix="kfnb-"))
    for folder in folders:
        os.makedirs(folder, exist_ok=True)
    for path, content in beside.items():
        source = os.path.join(notebook, path)
        if notebook and os.path.isfile(source):
            kfnb_copy(source, path)
        elif not content.startswith("sha256:"):
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with open(path, "wb") as file:
                file.write(zlib.decompress(base64.b64decode(content)))
    for artifact in earlier:
        if artifact is not None:
            kfnb_files_of(artifact)
    return os.getcwd(), kfnb_files_now()


def kfnb_start(begun: tuple[str, Any], folder: str) -> None:
    """Go where the cell began in the notebook: ``folder``, below the step's own."""
    import os

    os.chdir(os.path.join(begun[0], folder))


def kfnb_files_of(artifact: Any) -> None:
    """Do in the working folder what an earlier step did in its own: its files, its folders, and what it removed."""
    import json
    import os
    import tempfile

    # an artifact may come from anywhere: nothing outside of the two folders is written or removed
    temporary = os.path.realpath(tempfile.gettempdir()) + os.sep
    for folder in json.loads(artifact.metadata.get("folders", "[]")):
        if os.path.realpath(folder).startswith(os.getcwd() + os.sep):
            os.makedirs(folder, exist_ok=True)
    for around, _, names in os.walk(artifact.path):
        for name in names:
            file_path = os.path.join(around, name)
            path = os.path.relpath(file_path, artifact.path)
            # temporary files lie where they lay when they were written
            path = os.sep + path[len("absolute/") :] if path.startswith("absolute" + os.sep) else path
            if os.path.isabs(path) and (os.path.exists(path) or not path.startswith(temporary)):
                continue
            kfnb_copy(file_path, path)
    for path in kfnb_files_now().keys() & set(json.loads(artifact.metadata.get("removed", "[]"))):
        if path.endswith("/"):
            os.rmdir(path)
        else:
            os.remove(path)


def kfnb_files_now() -> dict[str, Any]:
    """The files of the working folder, and how each is known to be as it was; empty folders end in ``/``."""
    import os

    top = os.path.realpath(".") + os.sep
    found = {}
    for around, folders, names in os.walk(".", followlinks=True):
        here = os.path.realpath(around) + os.sep
        # a link to a folder is followed within this one, and never in circles
        folders[:] = [
            name
            for name in folders
            if not os.path.islink(os.path.join(around, name))
            or (
                os.path.realpath(os.path.join(around, name)).startswith(top)
                and not here.startswith(os.path.realpath(os.path.join(around, name)) + os.sep)
            )
        ]
        if around != "." and not folders and not names:
            found[os.path.normpath(around) + "/"] = (0, 0, 0)
        for name in names:
            path = os.path.normpath(os.path.join(around, name))
            if os.path.isfile(path):
                status = os.stat(path)
                found[path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


def kfnb_files_out(
    begun: tuple[str, Mapping[str, Any]], artifact: Any = None, temporary: Sequence[str] = ()
) -> None:
    """Leave what the step wrote in an artifact, by its paths, and note what it removed; what it got goes.

    ``begun`` is what ``kfnb_files_in`` returned, ``temporary`` are files that it wrote outside of its folder.
    """
    import json
    import os
    import shutil

    folder, before = begun
    os.chdir(folder)
    now = kfnb_files_now()
    written = [path for path in now if before.get(path) != now[path]]
    folders = [path for path in written if path.endswith("/")]
    files = [path for path in written if not path.endswith("/")]
    if artifact is not None:
        # what a link leads to is copied, before it moves away
        linked = [
            path for path in files if os.path.realpath(path) != os.path.join(os.path.realpath("."), path)
        ]
        for path in linked:
            kfnb_copy(path, os.path.join(artifact.path, path))
        for path in files:
            target = os.path.join(artifact.path, path)
            if path not in linked:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.move(path, target)
        for path in list(temporary):
            if os.path.isfile(path):
                kfnb_copy(path, os.path.join(artifact.path, "absolute", path.lstrip(os.sep)))
        os.makedirs(artifact.path, exist_ok=True)
        # texts: KFP wraps lists in metadata
        gone = [path for path in before if path not in now and not os.path.isdir(path)]
        artifact.metadata["removed"] = json.dumps(gone)
        artifact.metadata["folders"] = json.dumps(folders)
        artifact.metadata["files"] = len(files)
    for path in now:
        if path not in written and not path.endswith("/") and os.path.lexists(path):
            os.remove(path)


def kfnb_temporary() -> list[str]:
    """The temporary files that are opened to be written from now on; the list grows."""
    import os
    import sys
    import tempfile

    found: list[str] = []
    temporary = os.path.realpath(tempfile.gettempdir()) + os.sep

    def hook(event: str, arguments: Any) -> None:
        if event == "open" and isinstance(arguments[0], str) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
            path = os.path.realpath(arguments[0])
            if path.startswith(temporary) and not path.startswith(os.getcwd()) and path not in found:
                found.append(path)

    sys.addaudithook(hook)
    return found


def kfnb_modules(files: dict[str, str]) -> None:
    """Make modules that lay beside the notebook importable here; ``files`` maps their paths to their source."""
    import os
    import sys
    import tempfile

    roots = {name.split("/")[0].removesuffix(".py") for name in files}
    for name in [name for name in sys.modules if name.split(".")[0] in roots]:
        del sys.modules[name]  # an installed module of the same name
    folder = tempfile.mkdtemp(prefix="kfnb-modules-")
    for name, source in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(source)
    sys.path.insert(0, folder)


def kfnb_main(step: str, travelled: int) -> None:
    """Make this module ``__main__``, as a notebook is, with a file that a spawned process can run as its own.

    So the notebook's functions and classes reach worker processes as they do in a notebook: over a fork by name, by
    joblib by value. And they reach processes that multiprocessing spawns, which run the file of ``__main__``: this one
    defines what the function ``step`` defines, not what it computes. Of the ``travelled`` statements that follow this
    call, that is all that bind names; of the cell's the functions, classes, imports and plain constants.
    """
    import ast
    import os
    import sys

    module: Any = sys.modules[__name__]
    program = module.__file__
    text = """
def kfnb_define(program, step, numbers):
    import ast
    import sys

    with open(program, encoding="utf-8") as file:
        body = next(node.body for node in ast.parse(file.read()).body if getattr(node, "name", "") == step)
    for number in numbers:
        try:
            exec(compile(ast.Module([body[number]], []), program, "exec"), globals())
        except Exception as error:
            print(f"no worker process has line {body[number].lineno} of its step: {error}", file=sys.stderr)
"""

    def defines(node: ast.stmt) -> bool:
        if isinstance(node, (ast.If, ast.Try)):
            return all(defines(part) for part in ast.iter_child_nodes(node) if isinstance(part, ast.stmt))
        if isinstance(node, ast.Assign):
            plain = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp, ast.BinOp, ast.Lambda)
            return isinstance(node.value, plain)
        return isinstance(
            node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        )

    with open(program, encoding="utf-8") as file:
        functions = [node for node in ast.parse(file.read()).body if isinstance(node, ast.FunctionDef)]
    body = next(node.body for node in functions if node.name == step)
    first = 1 + next(number for number, node in enumerate(body) if ast.unparse(node).startswith("kfnb_main("))
    numbers = [
        number
        for number, node in enumerate(body)
        if number >= first
        and (not isinstance(node, ast.Expr) if number < first + travelled else defines(node))
    ]
    path = os.path.join(os.path.dirname(program), "kfnb_main.py")
    with open(f"{path}.{os.getpid()}", "w", encoding="utf-8") as file:
        file.write(f"{text}\n\nkfnb_define({program!r}, {step!r}, {numbers})\n")
    os.replace(f"{path}.{os.getpid()}", path)  # trials that run at the same time share the folder
    module.__name__, module.__file__, module.__spec__ = "__main__", path, None
    sys.modules["__main__"] = sys.modules["__mp_main__"] = module


def kfnb_attempts(retries: int, artifacts: Sequence[Any]) -> None:
    """Run the rest of the step in a new process, and in another one when that fails, up to ``retries`` times.

    Only the new processes return from here. A pause of 1, 2, 4, ... seconds stands before each further attempt, and
    none begins later than an hour after the first, as KFP has it. What a failed attempt wrote to ``artifacts`` goes.
    """
    import os
    import shutil
    import sys
    import time

    longest = 3600

    def tell(said: int) -> None:
        """Hand on in words why this process fails."""
        show = sys.excepthook

        def hook(kind: Any, error: Any, trace: Any) -> None:
            os.write(said, f"{kind.__name__}: {error}".encode(errors="replace")[:500])
            show(kind, error, trace)

        sys.excepthook = hook

    def hear(heard: int, code: int) -> str:
        """Why a process failed, as it told."""
        os.set_blocking(heard, False)  # what the attempt has left behind may hold the other end
        try:
            words = os.read(heard, 500).decode(errors="replace")
        except BlockingIOError:
            words = ""
        os.close(heard)
        return words.split("\n")[0] or f"exit code {code}"

    if kfnb_retried_from_outside():
        return
    begun = time.monotonic()
    for attempt in range(1, retries + 2):
        sys.stdout.flush()
        sys.stderr.flush()
        heard, said = os.pipe()
        process = os.fork()
        if not process:
            tell(said)
            return
        os.close(said)
        status = os.waitpid(process, 0)[1]
        code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        pause = 2 ** (attempt - 1)
        if not code or attempt > retries or time.monotonic() - begun + pause > longest:
            os._exit(code)
        words = f"{hear(heard, code)}; next attempt in {pause} s"
        print(f"attempt {attempt} of {retries + 1} failed: {words}", flush=True)
        for path in [getattr(artifact, "path", artifact) for artifact in artifacts]:
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.remove(path)
        time.sleep(pause)


def kfnb_retried_from_outside() -> bool:
    """Whether who runs the step tries it again where its program fails.

    kfnb's own engines do, and say so by ``KFNB_RETRIES``. Argo does or not, by its policy for the step, which is in
    the template that its pods have: with KFP up to 2.16 it does, with the configuration of KFP 2.17 it does not.
    """
    import json
    import os

    if "KFNB_RETRIES" in os.environ:
        return True
    try:
        with open("/var/run/argo/template", encoding="utf-8") as file:
            strategy = json.load(file).get("retryStrategy")
    except (OSError, ValueError):
        return False
    return bool(strategy) and strategy.get("retryPolicy", "OnFailure") in ("OnFailure", "Always")


def kfnb_kf(**uses: Callable[..., Any]) -> Any:
    """What a step calls ``kf``: what it uses of it, by name."""
    from types import SimpleNamespace

    return SimpleNamespace(**uses)


def kfnb_number(value: Any) -> Any:
    """A number to log, as one of Python's own."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool) or not isinstance(value, (int, float)):  # Python 3.9 knows no int | float here
        raise TypeError(f"a metric is a number, not {value!r}")
    return value


def kfnb_named(given: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Numbers to log: those of a dict, and those that were given by name."""
    if given is not None and not hasattr(given, "items"):
        raise TypeError(
            f"metrics are given by name, log_metrics(accuracy=0.9), or as a dict, not as {given!r}"
        )
    return {**dict(given or {}), **values}


def kfnb_log_metrics(metrics: Any, by_step: Callable[..., None] | None = None) -> Callable[..., None]:
    """``kf.log_metrics``, which writes into the artifact ``metrics``; ``by_step`` is for what has a step."""

    def log_metrics(given: Any = None, /, *, step: int | None = None, **values: Any) -> None:
        """Log numbers by name: the last one is the metric; with ``step`` they are a curve too, and are printed."""
        logged = {str(name): kfnb_number(value) for name, value in kfnb_named(given, values).items()}
        for name, value in logged.items():
            # KFP's numbers are floats, and finite: a step that puts out another would fail for that
            metrics.metadata[name] = float(value) if value - value == 0 else str(value)
        if step is not None and by_step is not None:
            by_step(kfnb_number(step), logged)

    return log_metrics


def kfnb_curves(metrics: Any) -> Callable[..., None]:
    """What is logged with a step: it is printed, and is a curve in the artifact ``metrics``."""
    most = 1000
    seen: dict[str, tuple[int, int]] = {}

    def add(points: list[Any], name: str, point: list[Any]) -> None:
        """Add a point to a metric's curve, of which the last and every n-th stay."""
        count, every = seen.get(name, (0, 1))
        if count and (count - 1) % every:
            points.pop()
        if len(points) == most:
            del points[1::2]
            every *= 2
        points.append(point)
        seen[name] = count + 1, every

    def by_step(step: Any, logged: dict[str, Any]) -> None:
        print(f"step {step}:", " ".join(f"{name}={value}" for name, value in logged.items()))
        curves = metrics.metadata.setdefault("kfnb_curves", {})
        for name, value in logged.items():
            if value - value == 0:  # JSON has finite numbers alone
                add(curves.setdefault(name, []), name, [step, value])

    return by_step


def kfnb_report(log_metrics: Callable[..., None]) -> Callable[..., None]:
    """``kf.report``, which logs by ``log_metrics``."""
    import os

    reports = [0]

    def report(value: Any = None, *, step: int | None = None, **values: Any) -> None:
        """Say how far training has come: ``kf.report(loss, step=epoch)`` or ``kf.report(accuracy=0.9, step=epoch)``.

        A value without a name is the objective's, where the step is a trial of a study; there it may end the trial.
        """
        if hasattr(value, "items"):
            values = {**value, **values}
        elif value is not None:
            # whoever runs a step as a trial says what its objective is called
            values = {os.environ.get("KFNB_OBJECTIVE", "value"): value, **values}
        if step is None:
            step = reports[0]
        reports[0] = int(step) + 1
        log_metrics(step=step, **values)

    return report


def kfnb_log_roc(classification: Any) -> Callable[..., None]:
    """``kf.log_roc``, which writes into the artifact ``classification``."""

    def log_roc(fpr: Sequence[float], tpr: Sequence[float], thresholds: Sequence[float]) -> None:
        """Log a ROC curve, as scikit-learn's ``roc_curve`` returns it; at most 200 points are kept."""
        points = [
            # scikit-learn's first threshold is infinite, which JSON does not have
            {"confidenceThreshold": min(float(t), 1e9), "recall": float(r), "falsePositiveRate": float(f)}
            for f, r, t in zip(fpr, tpr, thresholds)  # noqa: B905 - also where Python is 3.9
        ]
        every = max(1, -(-len(points) // 199))
        kept = points[::every]
        classification.metadata["confidenceMetrics"] = (
            kept if kept[-1:] == points[-1:] else [*kept, points[-1]]
        )

    return log_roc


def kfnb_log_confusion_matrix(classification: Any) -> Callable[..., None]:
    """``kf.log_confusion_matrix``, which writes into the artifact ``classification``."""

    def log_confusion_matrix(labels: Sequence[Any], matrix: Sequence[Sequence[int]]) -> None:
        """Log a confusion matrix: a row for each true label, a column for each predicted one."""
        rows = [[kfnb_number(cell) for cell in row] for row in matrix]
        if len(rows) != len(labels) or any(len(row) != len(labels) for row in rows):
            raise ValueError(f"{len(labels)} labels need a matrix of {len(labels)} x {len(labels)}")
        classification.metadata["confusionMatrix"] = {
            "annotationSpecs": [{"displayName": str(label)} for label in labels],
            "rows": [{"row": row} for row in rows],
        }

    return log_confusion_matrix


def kfnb_text(artifact: Any) -> Callable[[str], None]:
    """``kf.html``, which is shown in a frame of its own, without scripts: adds to the file ``artifact``."""

    def append(text: str) -> None:
        with open(artifact.path, "a", encoding="utf-8") as file:
            file.write(text + "\n")

    return append


KF_OUTPUTS = {
    "log_metrics": ("metrics", "Metrics"),
    "report": ("metrics", "Metrics"),
    "log_roc": ("classification", "ClassificationMetrics"),
    "log_confusion_matrix": ("classification", "ClassificationMetrics"),
    "html": ("html", "HTML"),
    "figure": ("html", "HTML"),
    "image": ("html", "HTML"),
    "table": ("html", "HTML"),
    "markdown": ("markdown", "Markdown"),
}
"""What of ``kf`` a step uses -> the artifact it goes to (the output is called ``kf_<that>``), and its KFP type."""

KF_MAKERS = {
    "log_metrics": "kfnb_log_metrics",
    "report": "kfnb_report",
    "log_roc": "kfnb_log_roc",
    "log_confusion_matrix": "kfnb_log_confusion_matrix",
    "html": "kfnb_text",
    "figure": "kfnb_figure",
    "image": "kfnb_image",
    "table": "kfnb_table",
    "markdown": "kfnb_markdown",
}
"""What of ``kf`` a step uses -> the function that makes it, here or in ``pictures``."""
