-- NOTIFYs that came for zones that are here; a row stands for those that were alike.
CREATE TABLE notifies (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    zone_id       INTEGER NOT NULL REFERENCES zones (id) ON DELETE CASCADE,
    standing      TEXT    NOT NULL CHECK (standing IN ('known', 'stranger')),
    -- The address of somebody whom the zone's owner has named, or a block of addresses that strangers sent from.
    sender        TEXT    NOT NULL,
    at_ms         INTEGER NOT NULL,
    last_ms       INTEGER NOT NULL,
    times         INTEGER NOT NULL,
    channel       TEXT    NOT NULL,
    signed_by     TEXT,
    serial        INTEGER,
    -- The code of why it was not taken; none when it was.
    declined      TEXT
);

CREATE INDEX notifies_sender ON notifies (zone_id, sender);

-- NOTIFYs for zones that are not here: one row for each block of addresses, with its last one as an example. They are
-- no tenant's.
CREATE TABLE stranger_notifies (
    site          TEXT    PRIMARY KEY,
    at_ms         INTEGER NOT NULL,
    last_ms       INTEGER NOT NULL,
    times         INTEGER NOT NULL,
    last_address  TEXT    NOT NULL,
    last_channel  TEXT    NOT NULL,
    last_zone     TEXT,
    last_declined TEXT    NOT NULL
);
