-- Zones that are catalogs (RFC 9432): what they list is added and removed without anybody's hand.
CREATE TABLE catalogs (
    zone_id             INTEGER PRIMARY KEY REFERENCES zones (id) ON DELETE CASCADE,
    -- JSON: what members are made of that are in none of the groups below.
    template            TEXT    NOT NULL,
    guard_share_percent INTEGER NOT NULL,
    guard_zones_min     INTEGER NOT NULL,
    guard_delay_ms      INTEGER NOT NULL,
    created_at_ms       INTEGER NOT NULL
);

-- Members are at or below one of these.
CREATE TABLE catalog_suffixes (
    catalog_id          INTEGER NOT NULL REFERENCES catalogs (zone_id) ON DELETE CASCADE,
    suffix              TEXT    NOT NULL,
    PRIMARY KEY (catalog_id, suffix)
);

CREATE TABLE catalog_groups (
    catalog_id          INTEGER NOT NULL REFERENCES catalogs (zone_id) ON DELETE CASCADE,
    group_name          TEXT    NOT NULL,
    template            TEXT    NOT NULL,
    PRIMARY KEY (catalog_id, group_name)
);

-- Zones that are here because a catalog lists them; any other zone is configured. When a catalog goes, its members stay
-- and are configured from then on.
CREATE TABLE catalog_members (
    zone_id             INTEGER PRIMARY KEY REFERENCES zones (id) ON DELETE CASCADE,
    catalog_id          INTEGER NOT NULL REFERENCES catalogs (zone_id) ON DELETE CASCADE,
    label               TEXT    NOT NULL,
    group_name          TEXT,
    -- Since when the catalog has not listed it under its label.
    missing_since_ms    INTEGER
);

CREATE INDEX catalog_members_catalog ON catalog_members (catalog_id);

-- When members went at once, for as long as the guard counts them.
CREATE TABLE catalog_removals (
    catalog_id          INTEGER NOT NULL REFERENCES catalogs (zone_id) ON DELETE CASCADE,
    removed_at_ms       INTEGER NOT NULL
);

CREATE INDEX catalog_removals_catalog ON catalog_removals (catalog_id, removed_at_ms);
