-- What was asked of zones that were removed and can be had back: it goes and comes with them.
CREATE TABLE removed_query_hours (
    zone_id        INTEGER NOT NULL REFERENCES removed_zones (zone_id) ON DELETE CASCADE,
    hour           INTEGER NOT NULL,
    a              INTEGER NOT NULL,
    aaaa           INTEGER NOT NULL,
    ns             INTEGER NOT NULL,
    mx             INTEGER NOT NULL,
    txt            INTEGER NOT NULL,
    soa            INTEGER NOT NULL,
    https          INTEGER NOT NULL,
    other_type     INTEGER NOT NULL,
    answered       INTEGER NOT NULL,
    nodata         INTEGER NOT NULL,
    nxdomain       INTEGER NOT NULL,
    referral       INTEGER NOT NULL,
    failed         INTEGER NOT NULL,
    PRIMARY KEY (zone_id, hour)
) WITHOUT ROWID;

CREATE TABLE removed_query_days (
    zone_id        INTEGER NOT NULL REFERENCES removed_zones (zone_id) ON DELETE CASCADE,
    day            INTEGER NOT NULL,
    a              INTEGER NOT NULL,
    aaaa           INTEGER NOT NULL,
    ns             INTEGER NOT NULL,
    mx             INTEGER NOT NULL,
    txt            INTEGER NOT NULL,
    soa            INTEGER NOT NULL,
    https          INTEGER NOT NULL,
    other_type     INTEGER NOT NULL,
    answered       INTEGER NOT NULL,
    nodata         INTEGER NOT NULL,
    nxdomain       INTEGER NOT NULL,
    referral       INTEGER NOT NULL,
    failed         INTEGER NOT NULL,
    PRIMARY KEY (zone_id, day)
) WITHOUT ROWID;

CREATE TABLE removed_query_names (
    zone_id        INTEGER NOT NULL REFERENCES removed_zones (zone_id) ON DELETE CASCADE,
    day            INTEGER NOT NULL,
    name           TEXT    NOT NULL,
    queries        INTEGER NOT NULL,
    PRIMARY KEY (zone_id, day, name)
) WITHOUT ROWID;
