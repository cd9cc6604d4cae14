-- Words that their owner sorts zones by: with spaces between them, in order.
ALTER TABLE zones ADD COLUMN tags TEXT NOT NULL DEFAULT '';

-- What somebody removes is kept for some days, with all that it takes to have it back.
ALTER TABLE removed_zones ADD COLUMN removed_at_ms INTEGER;
ALTER TABLE removed_zones ADD COLUMN spelling      TEXT;
ALTER TABLE removed_zones ADD COLUMN service       TEXT;
ALTER TABLE removed_zones ADD COLUMN settings      TEXT;
ALTER TABLE removed_zones ADD COLUMN tags          TEXT;
ALTER TABLE removed_zones ADD COLUMN created_at_ms INTEGER;
ALTER TABLE removed_zones ADD COLUMN challenge     TEXT;
-- As JSON, with the names of their keys.
ALTER TABLE removed_zones ADD COLUMN primaries     TEXT;

CREATE INDEX events_severity ON events (tenant_id, severity, at_ms);
