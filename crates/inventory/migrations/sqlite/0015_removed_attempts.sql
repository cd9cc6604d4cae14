-- What is on record of zones that were removed and can be had back: it goes and comes with them.
CREATE TABLE removed_attempts (
    id              INTEGER PRIMARY KEY,
    zone_id         INTEGER NOT NULL REFERENCES removed_zones (zone_id) ON DELETE CASCADE,
    at_ms           INTEGER NOT NULL,
    last_ms         INTEGER NOT NULL,
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

CREATE INDEX removed_attempts_zone ON removed_attempts (zone_id, id);
