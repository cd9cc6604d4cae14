-- What comes in stages is told at each of them: of an expiry, how much is left.
ALTER TABLE events ADD COLUMN stage TEXT NOT NULL DEFAULT '';

-- To whom a tenant's events are sent, and which of them.
CREATE TABLE alert_rules (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id       INTEGER NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    channel         TEXT    NOT NULL CHECK (channel IN ('mail', 'webhook')),
    -- An address, or a URL.
    target          TEXT    NOT NULL,
    -- What a webhook's deliveries are signed with, in base64.
    secret          TEXT,
    -- The least.
    severity        TEXT    NOT NULL CHECK (severity IN ('info', 'warning', 'error')),
    -- Words with spaces between them; empty for all.
    kinds           TEXT    NOT NULL,
    -- Of zones with this tag alone; empty for all that happens.
    tag             TEXT    NOT NULL,
    created_at_ms   INTEGER NOT NULL,
    -- The hash of what confirms the address; none when it is confirmed, and for webhooks.
    confirmation    TEXT    UNIQUE
);

CREATE INDEX alert_rules_tenant ON alert_rules (tenant_id, id);

-- What is sent at one time by one rule, or was.
CREATE TABLE alert_deliveries (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    rule_id         INTEGER NOT NULL REFERENCES alert_rules (id) ON DELETE CASCADE,
    created_at_ms   INTEGER NOT NULL,
    -- When it is tried next; none when it has ended.
    due_at_ms       INTEGER,
    state           TEXT    NOT NULL CHECK (state IN ('gathering', 'trying', 'sent', 'failed')),
    -- What is told, as JSON.
    digest          TEXT    NOT NULL,
    tries           INTEGER NOT NULL DEFAULT 0,
    -- What came of the last try, in words; when that was.
    answer          TEXT    NOT NULL DEFAULT '',
    tried_at_ms     INTEGER,
    -- One that somebody asked for to see whether it comes: what follows does not wait for it.
    is_test         BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE INDEX alert_deliveries_rule ON alert_deliveries (rule_id, id);
CREATE INDEX alert_deliveries_due ON alert_deliveries (due_at_ms);

-- To whom the parent of a zone was last seen to delegate it: what is otherwise then is told.
CREATE TABLE zone_delegations (
    zone_id         INTEGER PRIMARY KEY REFERENCES zones (id) ON DELETE CASCADE,
    -- Names with spaces between them, in order; empty when it was not delegated, none when that has never been seen.
    delegated_to    TEXT,
    looked_at_ms    INTEGER NOT NULL
);
