-- What was asked of zones: a row for each hour in which something was, and for older ones a row for each day. Hours and days
-- are counted from the Unix epoch.
CREATE TABLE query_hours (
    zone_id        INTEGER NOT NULL REFERENCES zones (id) ON DELETE CASCADE,
    hour           INTEGER NOT NULL,
    -- By the type that was asked for.
    a              INTEGER NOT NULL,
    aaaa           INTEGER NOT NULL,
    ns             INTEGER NOT NULL,
    mx             INTEGER NOT NULL,
    txt            INTEGER NOT NULL,
    soa            INTEGER NOT NULL,
    https          INTEGER NOT NULL,
    other_type     INTEGER NOT NULL,
    -- The same queries by what came of them.
    answered       INTEGER NOT NULL,
    nodata         INTEGER NOT NULL,
    nxdomain       INTEGER NOT NULL,
    referral       INTEGER NOT NULL,
    failed         INTEGER NOT NULL,
    PRIMARY KEY (zone_id, hour)
) WITHOUT ROWID;

CREATE TABLE query_days (
    zone_id        INTEGER NOT NULL REFERENCES zones (id) ON DELETE CASCADE,
    day            INTEGER NOT NULL,
    -- By the type that was asked for.
    a              INTEGER NOT NULL,
    aaaa           INTEGER NOT NULL,
    ns             INTEGER NOT NULL,
    mx             INTEGER NOT NULL,
    txt            INTEGER NOT NULL,
    soa            INTEGER NOT NULL,
    https          INTEGER NOT NULL,
    other_type     INTEGER NOT NULL,
    -- The same queries by what came of them.
    answered       INTEGER NOT NULL,
    nodata         INTEGER NOT NULL,
    nxdomain       INTEGER NOT NULL,
    referral       INTEGER NOT NULL,
    failed         INTEGER NOT NULL,
    PRIMARY KEY (zone_id, day)
) WITHOUT ROWID;

-- The names that were asked for most, by zone and day.
CREATE TABLE query_names (
    zone_id        INTEGER NOT NULL REFERENCES zones (id) ON DELETE CASCADE,
    day            INTEGER NOT NULL,
    name           TEXT    NOT NULL,
    -- About.
    queries        INTEGER NOT NULL,
    PRIMARY KEY (zone_id, day, name)
) WITHOUT ROWID;

-- What tenants are billed for. A row outlives the zones that it is about, and the tenant.
CREATE TABLE tenant_usage (
    tenant_id      INTEGER NOT NULL,
    -- 202611 for November of 2026.
    month          INTEGER NOT NULL,
    -- As it was then.
    tenant         TEXT    NOT NULL,
    queries        INTEGER NOT NULL,
    -- The most at one time.
    zones          INTEGER NOT NULL,
    records        INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, month)
) WITHOUT ROWID;

CREATE INDEX tenant_usage_month ON tenant_usage (month);
