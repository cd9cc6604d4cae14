-- Names are text, absolute, in lower case; times are milliseconds since the Unix epoch.

CREATE TABLE tenants (
    id            INTEGER PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE
);

-- The tenant of single mode, which owns everything.
INSERT INTO tenants (id, name) VALUES (1, 'default');

CREATE TABLE keys (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id     INTEGER NOT NULL REFERENCES tenants (id),
    name          TEXT    NOT NULL,
    algorithm     TEXT    NOT NULL,
    -- Base64.
    secret        TEXT    NOT NULL,
    created_at_ms INTEGER NOT NULL,
    UNIQUE (tenant_id, name)
);

CREATE TABLE zones (
    -- Never used twice, whatever is deleted: the store is keyed by it.
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id     INTEGER NOT NULL REFERENCES tenants (id),
    name          TEXT    NOT NULL,
    -- The name with its letters as typed.
    spelling      TEXT    NOT NULL,
    service       TEXT    NOT NULL CHECK (service IN ('answering', 'paused', 'disabled', 'unproven')),
    -- JSON; what differs from the defaults.
    settings      TEXT    NOT NULL DEFAULT '{}',
    created_at_ms INTEGER NOT NULL,
    UNIQUE (tenant_id, name)
);

-- A name is answered for one zone at most, whoever claims it.
CREATE UNIQUE INDEX zones_answered_name ON zones (name) WHERE service IN ('answering', 'paused');

CREATE TABLE primaries (
    zone_id       INTEGER NOT NULL REFERENCES zones (id) ON DELETE CASCADE,
    position      INTEGER NOT NULL,
    ip            TEXT    NOT NULL,
    port          INTEGER NOT NULL,
    key_id        INTEGER REFERENCES keys (id),
    PRIMARY KEY (zone_id, position),
    UNIQUE (zone_id, ip, port)
);

CREATE INDEX primaries_key ON primaries (key_id);

CREATE TABLE attempts (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    zone_id         INTEGER NOT NULL REFERENCES zones (id) ON DELETE CASCADE,
    at_ms           INTEGER NOT NULL,
    last_ms         INTEGER NOT NULL,
    -- How many consecutive checks without news this row stands for.
    tries           INTEGER NOT NULL,
    primary_address TEXT,
    triggered_by    TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    from_serial     INTEGER,
    to_serial       INTEGER,
    octets          INTEGER NOT NULL,
    records         INTEGER NOT NULL,
    millis          INTEGER NOT NULL,
    outcome         TEXT    NOT NULL,
    reason_code     TEXT,
    reason_fault    TEXT,
    reason_message  TEXT,
    reason_advice   TEXT
);

CREATE INDEX attempts_zone ON attempts (zone_id, id);
