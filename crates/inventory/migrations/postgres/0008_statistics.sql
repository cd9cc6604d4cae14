-- What was asked of zones: a row for each hour in which something was, and for older ones a row for each day. Hours and days
-- are counted from the Unix epoch.
CREATE TABLE query_hours (
    zone_id        BIGINT  NOT NULL REFERENCES zones (id) ON DELETE CASCADE,
    hour           BIGINT  NOT NULL,
    -- By the type that was asked for.
    a              BIGINT  NOT NULL,
    aaaa           BIGINT  NOT NULL,
    ns             BIGINT  NOT NULL,
    mx             BIGINT  NOT NULL,
    txt            BIGINT  NOT NULL,
    soa            BIGINT  NOT NULL,
    https          BIGINT  NOT NULL,
    other_type     BIGINT  NOT NULL,
    -- The same queries by what came of them.
    answered       BIGINT  NOT NULL,
    nodata         BIGINT  NOT NULL,
    nxdomain       BIGINT  NOT NULL,
    referral       BIGINT  NOT NULL,
    failed         BIGINT  NOT NULL,
    PRIMARY KEY (zone_id, hour)
);

CREATE TABLE query_days (
    zone_id        BIGINT  NOT NULL REFERENCES zones (id) ON DELETE CASCADE,
    day            BIGINT  NOT NULL,
    -- By the type that was asked for.
    a              BIGINT  NOT NULL,
    aaaa           BIGINT  NOT NULL,
    ns             BIGINT  NOT NULL,
    mx             BIGINT  NOT NULL,
    txt            BIGINT  NOT NULL,
    soa            BIGINT  NOT NULL,
    https          BIGINT  NOT NULL,
    other_type     BIGINT  NOT NULL,
    -- The same queries by what came of them.
    answered       BIGINT  NOT NULL,
    nodata         BIGINT  NOT NULL,
    nxdomain       BIGINT  NOT NULL,
    referral       BIGINT  NOT NULL,
    failed         BIGINT  NOT NULL,
    PRIMARY KEY (zone_id, day)
);

-- The names that were asked for most, by zone and day.
CREATE TABLE query_names (
    zone_id        BIGINT  NOT NULL REFERENCES zones (id) ON DELETE CASCADE,
    day            BIGINT  NOT NULL,
    name           TEXT    COLLATE "C" NOT NULL,
    -- About.
    queries        BIGINT  NOT NULL,
    PRIMARY KEY (zone_id, day, name)
);

-- What tenants are billed for. A row outlives the zones that it is about, and the tenant.
CREATE TABLE tenant_usage (
    tenant_id      BIGINT  NOT NULL,
    -- 202611 for November of 2026.
    month          BIGINT  NOT NULL,
    -- As it was then.
    tenant         TEXT    COLLATE "C" NOT NULL,
    queries        BIGINT  NOT NULL,
    -- The most at one time.
    zones          BIGINT  NOT NULL,
    records        BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, month)
);

CREATE INDEX tenant_usage_month ON tenant_usage (month);
