"""The tables of ``registry.db``. Their names and meanings are Kubeflow Model Registry's, with aliases beside them.

What lists show and choose by is in columns; the rest of a version's record is one JSON text. The history of aliases is
append-only, which triggers see to.
"""

from __future__ import annotations

from kfnb.catalog.database import Schema

FILE = "registry.db"

_FORMAT_1 = (
    """create table models (
        id integer primary key, name text not null unique, description text not null default '',
        owner text not null, created real not null, state text not null default 'LIVE'
    )""",
    """create table versions (
        model integer not null references models, version integer not null, digest text not null,
        format text not null, size integer not null, state text not null default 'LIVE',
        metrics text not null, metrics_data text not null, data text not null, tags text not null,
        owner text not null, created real not null, description text not null,
        run text not null, record text not null, others text not null default '{}',
        primary key (model, version), unique (model, digest)
    )""",
    "create index versions_created on versions (created)",
    "create index versions_run on versions (run) where run != ''",
    "create index versions_digest on versions (digest)",
    """create table aliases (
        model integer not null references models, alias text not null, version integer not null,
        primary key (model, alias), foreign key (model, version) references versions
    )""",
    """create table alias_history (
        id integer primary key autoincrement, model integer not null references models, alias text not null,
        from_version integer, to_version integer, by text not null, at real not null, because text not null
    )""",
    "create index alias_history_model on alias_history (model, id)",
    """create trigger alias_history_is_kept before delete on alias_history
        begin select raise(abort, 'the history of aliases is append-only'); end""",
    """create trigger alias_history_is_fixed before update on alias_history
        begin select raise(abort, 'the history of aliases is append-only'); end""",
)

_FORMAT_2 = (
    "alter table alias_history add column kind text not null default ''",
    "alter table versions add column data_digests text not null default '{}'",
)
"""The kind of each move, empty where only the reason was recorded; the digests of the data, by reference."""

_FORMAT_3 = ("create table cluster_runs (run text primary key, at real not null, notes text not null)",)
"""The runs of clusters whose saved models are registered, with the notes for the user, as JSON."""

SCHEMA = Schema("the model registry", {1: _FORMAT_1, 2: _FORMAT_2, 3: _FORMAT_3})
