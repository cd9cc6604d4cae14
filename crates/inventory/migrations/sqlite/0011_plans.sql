-- What an organisation may have; a limit that is not set is none.
CREATE TABLE plans (
    id                    INTEGER PRIMARY KEY AUTOINCREMENT,
    name                  TEXT    NOT NULL UNIQUE,
    zones_max             INTEGER,
    -- Of each zone.
    records_max           INTEGER,
    primaries_max         INTEGER,
    members_max           INTEGER,
    -- Requests to the API.
    requests_per_minute   INTEGER,
    -- Counted, and never a reason not to answer.
    queries_per_month     INTEGER,
    history_days          INTEGER,
    -- For how long zones go on after a plan's end.
    grace_days            INTEGER NOT NULL,
    created_at_ms         INTEGER NOT NULL
);

-- None: whatever they like.
ALTER TABLE tenants ADD COLUMN plan_id         INTEGER REFERENCES plans (id);
ALTER TABLE tenants ADD COLUMN plan_ends_at_ms INTEGER;

-- What happened that somebody should know of. A row says it in words and stands alone.
CREATE TABLE events (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id     INTEGER NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    at_ms         INTEGER NOT NULL,
    -- A stable word for it.
    kind          TEXT    NOT NULL,
    severity      TEXT    NOT NULL CHECK (severity IN ('info', 'warning', 'error')),
    -- The zone, or whatever else it is about; empty for the organisation.
    subject       TEXT    NOT NULL,
    message       TEXT    NOT NULL
);

CREATE INDEX events_tenant ON events (tenant_id, id);
CREATE INDEX events_about ON events (tenant_id, kind, subject, at_ms);
