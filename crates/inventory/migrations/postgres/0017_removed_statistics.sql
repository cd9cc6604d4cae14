-- What was asked of zones that were removed and can be had back: it goes and comes with them.
CREATE TABLE removed_query_hours (
    zone_id        BIGINT  NOT NULL REFERENCES removed_zones (zone_id) ON DELETE CASCADE,
    hour           BIGINT  NOT NULL,
    a              BIGINT  NOT NULL,
    aaaa           BIGINT  NOT NULL,
    ns             BIGINT  NOT NULL,
    mx             BIGINT  NOT NULL,
    txt            BIGINT  NOT NULL,
    soa            BIGINT  NOT NULL,
    https          BIGINT  NOT NULL,
    other_type     BIGINT  NOT NULL,
    answered       BIGINT  NOT NULL,
    nodata         BIGINT  NOT NULL,
    nxdomain       BIGINT  NOT NULL,
    referral       BIGINT  NOT NULL,
    failed         BIGINT  NOT NULL,
    PRIMARY KEY (zone_id, hour)
);

CREATE TABLE removed_query_days (
    zone_id        BIGINT  NOT NULL REFERENCES removed_zones (zone_id) ON DELETE CASCADE,
    day            BIGINT  NOT NULL,
    a              BIGINT  NOT NULL,
    aaaa           BIGINT  NOT NULL,
    ns             BIGINT  NOT NULL,
    mx             BIGINT  NOT NULL,
    txt            BIGINT  NOT NULL,
    soa            BIGINT  NOT NULL,
    https          BIGINT  NOT NULL,
    other_type     BIGINT  NOT NULL,
    answered       BIGINT  NOT NULL,
    nodata         BIGINT  NOT NULL,
    nxdomain       BIGINT  NOT NULL,
    referral       BIGINT  NOT NULL,
    failed         BIGINT  NOT NULL,
    PRIMARY KEY (zone_id, day)
);

CREATE TABLE removed_query_names (
    zone_id        BIGINT  NOT NULL REFERENCES removed_zones (zone_id) ON DELETE CASCADE,
    day            BIGINT  NOT NULL,
    name           TEXT    COLLATE "C" NOT NULL,
    queries        BIGINT  NOT NULL,
    PRIMARY KEY (zone_id, day, name)
);
