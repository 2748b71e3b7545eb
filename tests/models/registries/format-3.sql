-- a registry as its third format was written
BEGIN TRANSACTION;
CREATE TABLE alias_history (
        id integer primary key autoincrement, model integer not null references models, alias text not null,
        from_version integer, to_version integer, by text not null, at real not null, because text not null
    , kind text not null default '');
INSERT INTO "alias_history" VALUES(1,1,'champion',NULL,1,'ann',1.79602615053317093852e+09,'first','promotion');
INSERT INTO "alias_history" VALUES(2,1,'champion',1,2,'bob',1.79602615065777611738e+09,'better','promotion');
CREATE TABLE aliases (
        model integer not null references models, alias text not null, version integer not null,
        primary key (model, alias), foreign key (model, version) references versions
    );
INSERT INTO "aliases" VALUES(1,'champion',2);
CREATE TABLE migrations (format integer primary key, time real not null);
INSERT INTO "migrations" VALUES(1,1.79602615021851539614e+09);
INSERT INTO "migrations" VALUES(2,1.79603667858544182775e+09);
INSERT INTO "migrations" VALUES(3,1.79604989284021018505e+09);
CREATE TABLE cluster_runs (run text primary key, at real not null, notes text not null);
INSERT INTO "cluster_runs" VALUES('6ede6767-1e3f-44e6-807b-b809e140cb06',1796049893.0,'["registered churn@1 (saved by train)"]');
CREATE TABLE models (
        id integer primary key, name text not null unique, description text not null default '',
        owner text not null, created real not null, state text not null default 'LIVE'
    );
INSERT INTO "models" VALUES(1,'churn','','ann',1.79602615025237560266e+09,'LIVE');
CREATE TABLE versions (
        model integer not null references models, version integer not null, digest text not null,
        format text not null, size integer not null, state text not null default 'LIVE',
        metrics text not null, metrics_data text not null, data text not null, tags text not null,
        owner text not null, created real not null, description text not null,
        run text not null, record text not null, others text not null default '{}', data_digests text not null default '{}',
        primary key (model, version), unique (model, digest)
    );
INSERT INTO "versions" VALUES(1,1,'f8f7201e575e418ff14f803da1beb9f8625113e7736ecd6217da57e9de078267','skops',0,'LIVE','{"accuracy": 0.81}','churn-data@1','["churn-data@1"]','{"team": "blue"}','ann',1796000001.0,'the first format','261130-072300-abcd','{"parameters": {"C": 1}, "source": {"kind": "kfp", "cls": "pipelinerun", "id": "261130-072300-abcd", "name": "churn run", "group": "", "task": "train", "backend": "local"}, "signature": {"inputs": [{"name": "tenure", "type": "int64", "shape": [], "nullable": false}], "outputs": [{"name": "", "type": "float64", "shape": [-1, 2], "nullable": false}]}, "packages": {"skops": "0.16.0"}, "python": "3.11", "code": "", "transform": ""}','{}','{"churn-data@1": "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"}');
INSERT INTO "versions" VALUES(1,2,'919d6d99488a0cf6dd033f35dc3230e9a9ac4a9223a0c23ca93fe4569e08bc93','skops',0,'LIVE','{"accuracy": 0.8200000000000001}','churn-data@1','["churn-data@1"]','{"team": "blue"}','ann',1796000002.0,'the first format','261130-072300-abcd','{"parameters": {"C": 2}, "source": {"kind": "kfp", "cls": "pipelinerun", "id": "261130-072300-abcd", "name": "churn run", "group": "", "task": "train", "backend": "local"}, "signature": {"inputs": [{"name": "tenure", "type": "int64", "shape": [], "nullable": false}], "outputs": [{"name": "", "type": "float64", "shape": [-1, 2], "nullable": false}]}, "packages": {"skops": "0.16.0"}, "python": "3.11", "code": "", "transform": ""}','{}','{"churn-data@1": "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"}');
CREATE INDEX versions_created on versions (created);
CREATE INDEX versions_run on versions (run) where run != '';
CREATE INDEX versions_digest on versions (digest);
CREATE INDEX alias_history_model on alias_history (model, id);
CREATE TRIGGER alias_history_is_kept before delete on alias_history
        begin select raise(abort, 'the history of aliases is append-only'); end;
CREATE TRIGGER alias_history_is_fixed before update on alias_history
        begin select raise(abort, 'the history of aliases is append-only'); end;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('alias_history',2);
COMMIT;
PRAGMA user_version = 3;
