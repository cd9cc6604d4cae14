-- Words that their owner sorts zones by: with spaces between them, in order.
ALTER TABLE zones ADD COLUMN tags TEXT COLLATE "C" NOT NULL DEFAULT '';

-- What somebody removes is kept for some days, with all that it takes to have it back.
ALTER TABLE removed_zones ADD COLUMN removed_at_ms BIGINT;
ALTER TABLE removed_zones ADD COLUMN spelling      TEXT COLLATE "C";
ALTER TABLE removed_zones ADD COLUMN service       TEXT COLLATE "C";
ALTER TABLE removed_zones ADD COLUMN settings      TEXT COLLATE "C";
ALTER TABLE removed_zones ADD COLUMN tags          TEXT COLLATE "C";
ALTER TABLE removed_zones ADD COLUMN created_at_ms BIGINT;
ALTER TABLE removed_zones ADD COLUMN challenge     TEXT COLLATE "C";
-- As JSON, with the names of their keys.
ALTER TABLE removed_zones ADD COLUMN primaries     TEXT COLLATE "C";

CREATE INDEX events_severity ON events (tenant_id, severity, at_ms);
