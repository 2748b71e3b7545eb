"""What another tool keeps the versions of is named by that tool's own version."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import kfnb
from kfnb.errors import BackendError, UsageError
from kfnb.resources.datasets.api import verify
from tests.conftest import Shell


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A Delta table with versions 0 and 1."""
    deltalake = pytest.importorskip("deltalake")
    path = tmp_path / "table"
    deltalake.write_deltalake(str(path), pd.DataFrame({"x": [1, 2]}))
    deltalake.write_deltalake(str(path), pd.DataFrame({"x": [3]}), mode="append")
    return path


def test_a_version_of_a_delta_table_is_a_frame(shell: Shell, table: Path) -> None:
    first = kfnb.add_data("sales", f"delta://{table}@0")
    assert sorted(first.load().x) == [1, 2]
    assert first.snapshot().by_reference
    newest = kfnb.add_data("sales", f"delta://{table}")
    assert newest.ref == "sales@2"
    assert sorted(newest.load().x) == [1, 2, 3]
    assert kfnb.add_data("sales", f"delta://{table}@1").version == 2
    assert verify(first, newest).damages == ()


def test_a_run_takes_a_version_of_a_delta_table(shell: Shell, table: Path) -> None:
    kfnb.add_data("sales", f"delta://{table}@0")
    shell.run("%%kf_component add --data sales=sales@1 --output total\ntotal = int(sales.x.sum())")
    shell.run("%kf_pipeline p add")
    assert shell.submit("p").result == {"total": 3}
    with pytest.raises(BackendError, match="is read by a tool that pods do not have"):
        kfnb.submit("p", backend="kubeflow")


def test_a_delta_version_that_is_not_there_is_named(shell: Shell, table: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="table@7"):
        kfnb.add_data("sales", f"delta://{table}@7")
    with pytest.raises(UsageError, match="delta://"):
        kfnb.add_data("sales", f"delta://{tmp_path}/nothing")
    with pytest.raises(UsageError, match="invalid version"):
        kfnb.add_data("sales", f"delta://{table}@x")


@pytest.mark.parametrize("name", ["plain", "with space"])
def test_a_delta_version_whose_files_were_cleaned_away_is_missing(
    shell: Shell, tmp_path: Path, name: str
) -> None:
    deltalake = pytest.importorskip("deltalake")
    path = str(tmp_path / name)
    deltalake.write_deltalake(path, pd.DataFrame({"x": [1, 2], "k": ["a/b", "c d"]}), partition_by=["k"])
    version = kfnb.add_data("sales", f"delta://{path}")
    assert verify(version).damages == ()
    deltalake.write_deltalake(path, pd.DataFrame({"x": [3], "k": ["e"]}), mode="overwrite")
    deltalake.DeltaTable(path).vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    assert [one.problem for one in verify(version).damages] == ["missing"]
    with pytest.raises(BackendError, match=r"sales@1: the content of data\.parquet is missing"):
        version.load()


def dvc(folder: Path, content: bytes) -> Path:
    """A file that DVC tracks, as ``dvc add`` leaves it."""
    (folder / "data.csv").write_bytes(content)
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    cached = folder / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
    cached.parent.mkdir(parents=True, exist_ok=True)
    cached.write_bytes(content)
    file = folder / "data.csv.dvc"
    file.write_text(f"outs:\n- md5: {md5}\n  size: {len(content)}\n  hash: md5\n  path: data.csv\n")
    return file


def test_a_file_that_dvc_tracks_is_known_by_its_hash(shell: Shell, tmp_path: Path) -> None:
    first = kfnb.add_data("raw", str(dvc(tmp_path, b"a,b\n1,2\n")))
    second = kfnb.add_data("raw", str(dvc(tmp_path, b"a,b\n3,4\n")))
    assert second.load().read_bytes() == b"a,b\n3,4\n"
    assert first.load().read_bytes() == b"a,b\n1,2\n"  # from DVC's cache
    assert verify(first, second).damages == ()
    (tmp_path / "data.csv").write_text("changed")
    for file in (tmp_path / ".dvc").rglob("*"):
        if file.is_file():
            file.unlink()
    assert [one.problem for one in verify(second).damages] == ["missing"]


@pytest.mark.parametrize("text", ["", "outs: []", "outs:\n- path: x", "[", "outs:\n- md5: 1.dir\n  path: x"])
def test_another_file_of_that_name_is_refused(shell: Shell, tmp_path: Path, text: str) -> None:
    (tmp_path / "x.dvc").write_text(text)
    with pytest.raises(UsageError, match=r"DVC|tracks a folder"):
        kfnb.add_data("raw", str(tmp_path / "x.dvc"))


@pytest.fixture
def iceberg(tmp_path: Path) -> tuple[Path, list[int]]:
    """The folder of an Iceberg table, and the ids of its two snapshots."""
    pytest.importorskip("pyiceberg")
    sql = pytest.importorskip("pyiceberg.catalog.sql")
    warehouse = tmp_path / "ware house"
    warehouse.mkdir()
    catalog = sql.SqlCatalog("c", uri=f"sqlite:///{tmp_path / 'catalog.db'}", warehouse=f"file://{warehouse}")
    catalog.create_namespace("ns")
    rows = pa.table({"x": [1, 2]})
    table = catalog.create_table("ns.sales", schema=rows.schema)
    table.append(rows)
    table.append(pa.table({"x": [3]}))
    return Path(table.location().removeprefix("file://")), [one.snapshot_id for one in table.snapshots()]


def test_a_snapshot_of_an_iceberg_table_is_a_frame(shell: Shell, iceberg: tuple[Path, list[int]]) -> None:
    folder, (first, second) = iceberg
    one = kfnb.add_data("sales", f"iceberg://{folder}@{first}")
    two = kfnb.add_data("sales", f"iceberg://{folder}")
    assert (sorted(one.load().x), sorted(two.load().x)) == ([1, 2], [1, 2, 3])
    assert two.uri == f"iceberg://{folder}@{second}"
    assert kfnb.add_data("sales", f"iceberg://{folder}@{second}").version == 2
    assert verify(one, two).damages == ()
    with pytest.raises(UsageError, match="the table has no such snapshot; its newest are"):
        kfnb.add_data("sales", f"iceberg://{folder}@7")
    for file in (folder / "data").rglob("*.parquet"):
        file.unlink()
    assert [one.problem for one in verify(one).damages] == ["missing"]


def test_a_folder_without_an_iceberg_table_is_named(shell: Shell, tmp_path: Path) -> None:
    pytest.importorskip("pyiceberg")
    with pytest.raises(UsageError, match="is not the folder of an Iceberg table"):
        kfnb.add_data("sales", f"iceberg://{tmp_path}")
