-- What whoever handed a name over had to show for it, as JSON: it counts for whoever has the name now.
ALTER TABLE zones ADD COLUMN handed TEXT;

-- A zone that comes back is the claim that it was.
ALTER TABLE removed_zones ADD COLUMN handed               TEXT;
ALTER TABLE removed_zones ADD COLUMN proven_at_ms         BIGINT;
ALTER TABLE removed_zones ADD COLUMN seen_elsewhere_at_ms BIGINT;
ALTER TABLE removed_zones ADD COLUMN looked_at_ms         BIGINT;
