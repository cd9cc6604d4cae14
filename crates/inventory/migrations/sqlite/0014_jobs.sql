-- Long work that clients do not wait for, and what came of it.
CREATE TABLE jobs (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id       INTEGER NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- What was asked for, as method and path.
    operation       TEXT    NOT NULL,
    created_at_ms   INTEGER NOT NULL,
    -- None while it is carried out, and if the program ended meanwhile.
    finished_at_ms  INTEGER,
    -- As a request's.
    status          INTEGER,
    -- What it was answered, as JSON; none when that was nothing, or too long to be kept.
    answer          TEXT
);

CREATE INDEX jobs_tenant ON jobs (tenant_id, id);
CREATE INDEX jobs_created ON jobs (created_at_ms);
