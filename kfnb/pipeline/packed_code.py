"""kfnb's own code in a step (``capture.embedded``), packed by a function of the pipeline's program.

Argo stores the program of a step five to eight times in a run, and has 1 MiB for the whole run; kfnb's own text would
be most of that. A pipeline's program has the functions as text, and ``kfnb_packed``, which packs them when it compiles.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from kfnb.capture.embedded import (
    attempts,
    chance,
    check_reports,
    checkpoints,
    checks,
    column,
    columns,
    communicators,
    counting,
    data,
    distances,
    exact_tables,
    exact_values,
    figures,
    files,
    model_facts,
    model_types,
    models,
    modules,
    names,
    objects,
    profiles,
    rank_group,
    rank_pace,
    rank_process,
    rank_reports,
    rank_usage,
    ranks,
    rendezvous,
    reports,
    row_by_row,
    samples,
    saving,
    schemas,
    seeds,
    states,
    training,
    transform_code,
    transform_files,
    transforms,
    values,
)

_TOGETHER = (
    ("kfnb_load", "kfnb_unpickle", "kfnb_save", "kfnb_pickle"),
    ("kfnb_kf", "kfnb_number", "kfnb_named", "kfnb_log_metrics"),
    ("kfnb_figure", "kfnb_figure_html", "kfnb_still", "kfnb_live"),
    ("kfnb_captioned", "kfnb_img"),
    ("kfnb_image", "kfnb_pixels", "kfnb_png"),
    ("kfnb_table", "kfnb_rows", "kfnb_table_html"),
    ("kfnb_markdown", "kfnb_with_pictures"),
    ("kfnb_attempts", "kfnb_retried_from_outside"),
    (
        *("kfnb_ranks", "kfnb_become_rank", "kfnb_end_rank", "kfnb_RankGroup", "kfnb_RankProcess"),
        *("kfnb_end_cell", "kfnb_name_threads"),
        *("kfnb_guard", "kfnb_kill", "kfnb_RankReports", "kfnb_rank_facts", "kfnb_free_ports"),
        *("kfnb_RankPace", "kfnb_RankUsage", "kfnb_usage_of_sessions", "kfnb_meeting_points"),
        *("kfnb_rank_variables", "kfnb_threads_of_a_rank", "kfnb_gpus_of_a_node"),
        *("kfnb_newest", "kfnb_complete", "kfnb_checkpoints"),
    ),
    ("kfnb_report_rank", "kfnb_MARK"),
    ("kfnb_checkpoint", "kfnb_resume"),
    (
        "kfnb_model_saver",
        "kfnb_checked",
        "kfnb_write_model",
        "kfnb_write_only_model",
        "kfnb_model_format",
        "kfnb_write_pickled",
        "kfnb_packages",
    ),
    ("kfnb_write_skops", "kfnb_trusted", "kfnb_dotted"),
    (
        *("kfnb_signature", "kfnb_columns", "kfnb_seen", "kfnb_column", "kfnb_example_rows", "kfnb_plain"),
        *("kfnb_write_sample", "kfnb_describe", "kfnb_model_input"),
    ),
    (
        *("kfnb_write_table", "kfnb_write_column", "kfnb_write_polars_column"),
        *("kfnb_encode", "kfnb_encode_scalar", "kfnb_zone"),
    ),
    ("kfnb_save_transform", "kfnb_write_state", "kfnb_put_table", "kfnb_put_inline"),
    (
        *("kfnb_read_table", "kfnb_read_column", "kfnb_read_polars_column"),
        *("kfnb_decode", "kfnb_decode_scalar", "kfnb_of_zone", "kfnb_read_state", "kfnb_open_transform"),
    ),
    (
        *(
            "kfnb_keep_transform",
            "kfnb_describe_raw",
            "kfnb_given_rows",
            "kfnb_of_few",
            "kfnb_checked_transform",
            "kfnb_remark",
            "kfnb_own_rows",
            "kfnb_unused",
            "kfnb_difference",
            "kfnb_cells",
            "kfnb_numbered",
        ),
        *("kfnb_cause", "kfnb_state_writer", "kfnb_state_reader"),
    ),
    (
        *("kfnb_Column", "kfnb_column_of", "kfnb_table_columns", "kfnb_by_name"),
        *("kfnb_of_objects", "kfnb_of_one_type", "kfnb_of_times", "kfnb_of_numbers"),
        *("kfnb_of_arrow", "kfnb_of_pandas", "kfnb_of_categories", "kfnb_of_polars", "kfnb_of_numpy"),
        *("kfnb_sort", "kfnb_all_words", "kfnb_numeral", "kfnb_word"),
        *("kfnb_Counter", "kfnb_ColumnCounter", "kfnb_joined"),
    ),
    (
        *(
            "kfnb_check",
            "kfnb_check_lines",
            "kfnb_check_validated",
            "kfnb_validated_line",
            "kfnb_opened_schema",
        ),
        *("kfnb_check_failure", "kfnb_check_line", "kfnb_check_words"),
        *(
            "kfnb_check_html",
            "kfnb_check_table",
            "kfnb_check_counts",
            "kfnb_check_column",
            "kfnb_check_values",
        ),
        *(
            "kfnb_check_age",
            "kfnb_line",
            "kfnb_age",
            "kfnb_examples",
            "kfnb_breaking",
            "kfnb_listed",
            "kfnb_percent",
        ),
        *("kfnb_read_schema", "kfnb_schema_keys", "kfnb_schema_part", "kfnb_schema_freshness"),
        *("kfnb_schema_type", "kfnb_schema_reference"),
    ),
    (
        "kfnb_Transform",
        "kfnb_given",
        "kfnb_takes_state",
        "kfnb_run_module",
        "kfnb_run_text",
        "kfnb_importer",
        "kfnb_digest",
    ),
)
"""Functions that are packed together: most steps that use one of them use the others."""

_LARGEST = "kfnb_keep_transform"
"""What needs most of all functions."""


FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: function
    for module in (
        values,
        data,
        files,
        modules,
        attempts,
        reports,
        ranks,
        rank_group,
        rank_process,
        rank_reports,
        rank_pace,
        rank_usage,
        rendezvous,
        training,
        communicators,
        checkpoints,
        names,
        figures,
        model_facts,
        model_types,
        models,
        saving,
        exact_values,
        exact_tables,
        row_by_row,
        samples,
        states,
        transform_code,
        transform_files,
        transforms,
        column,
        objects,
        columns,
        profiles,
        counting,
        chance,
        distances,
        schemas,
        checks,
        check_reports,
        seeds,
    )
    for name, function in vars(module).items()
    if name.startswith("kfnb_")
}
"""All functions that may be embedded, by name."""


def kfnb_packed(*groups: Sequence[Callable[..., Any]]) -> Any:
    """A function for a step's ``additional_funcs``: called there, ``kfnb_unpack`` defines the functions of ``groups``.

    They are compressed, without docstrings and comments, since Argo stores each step's program several times. Each
    group is a separate text, the same in all steps that have it, so that it compresses well when Argo compresses a run.
    """
    import ast
    import base64
    import inspect
    import linecache
    import re
    import zlib

    def text(functions: Sequence[Callable[..., Any]]) -> str:
        tree = ast.parse("\n".join(map(inspect.getsource, functions)))
        for node in ast.walk(tree):
            if isinstance(node, ast.arg):
                node.annotation = None
            elif isinstance(node, ast.FunctionDef):
                node.returns = None
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
                del node.body[0]
        shallow = re.sub(r"(?m)^ +", lambda found: " " * (len(found[0]) // 4), ast.unparse(tree))
        packed = zlib.compress(shallow.encode(), 9)
        return base64.b64encode(packed).decode()  # base64: Kubernetes would change a $$, and Argo a {{

    texts = ", ".join(f'"{text(functions)}"' for functions in groups)
    code = 'compile(zlib.decompress(base64.b64decode(text)), "<kfnb>", "exec")'
    source = f"def kfnb_unpack():\n import base64, zlib\n for text in [{texts}]:\n  exec({code}, globals())\n"
    names = {"__name__": "kfnb_unpack"}
    file = f"<kfnb_unpack {hash(source)}>"
    linecache.cache[file] = (
        len(source),
        None,
        source.splitlines(keepends=True),
        file,
    )  # where KFP looks up the source
    exec(compile(source, file, "exec"), names)  # noqa: S102 - its own lines, above
    return names["kfnb_unpack"]


def needed(names: Iterable[str]) -> list[tuple[str, ...]]:
    """The embedded functions ``names`` and those that they call, in groups that are packed together.

    Argo's gzip finds a program again only within 32 KB. A step that keeps a transform would be beyond that in groups;
    as one text it is smaller by a quarter.
    """
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _group(name)
            waiting += [word for word in re.findall(r"\bkfnb_\w+", source_of(name)) if word in FUNCTIONS]
    groups = list(dict.fromkeys(_group(name) for name in FUNCTIONS if name in found))
    return [tuple(name for group in groups for name in group)] if _LARGEST in found else groups


def _group(name: str) -> tuple[str, ...]:
    return next((group for group in _TOGETHER if name in group), (name,))


@cache
def source_of(name: str) -> str:
    """The source of an embedded function, or of ``kfnb_packed``."""
    return inspect.getsource(FUNCTIONS.get(name, kfnb_packed)).rstrip()
