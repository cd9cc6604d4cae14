-- What is on record of zones that were removed and can be had back: it goes and comes with them.
CREATE TABLE removed_attempts (
    id              BIGINT PRIMARY KEY,
    zone_id         BIGINT NOT NULL REFERENCES removed_zones (zone_id) ON DELETE CASCADE,
    at_ms           BIGINT NOT NULL,
    last_ms         BIGINT NOT NULL,
    tries           BIGINT NOT NULL,
    primary_address TEXT   COLLATE "C",
    triggered_by    TEXT   COLLATE "C" NOT NULL,
    kind            TEXT   COLLATE "C" NOT NULL,
    from_serial     BIGINT,
    to_serial       BIGINT,
    octets          BIGINT NOT NULL,
    records         BIGINT NOT NULL,
    millis          BIGINT NOT NULL,
    outcome         TEXT   COLLATE "C" NOT NULL,
    reason_code     TEXT   COLLATE "C",
    reason_fault    TEXT   COLLATE "C",
    reason_message  TEXT   COLLATE "C",
    reason_advice   TEXT   COLLATE "C"
);

CREATE INDEX removed_attempts_zone ON removed_attempts (zone_id, id);
