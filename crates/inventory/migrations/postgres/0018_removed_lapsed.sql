-- Since when the proof of a removed zone did not show, which it does not do by itself when the zone comes back.
ALTER TABLE removed_zones ADD COLUMN lapsed_at_ms BIGINT;

-- For whoever proves a name: what others had of it ends.
CREATE INDEX removed_zones_proof ON removed_zones (name) WHERE proof IS NOT NULL;
