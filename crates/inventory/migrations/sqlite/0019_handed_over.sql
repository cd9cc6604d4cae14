-- What whoever handed a name over had to show for it, as JSON: it counts for whoever has the name now.
ALTER TABLE zones ADD COLUMN handed TEXT;
-- When a proof was last taken from the zone: it is as young a claim as if it had been made then.
ALTER TABLE zones ADD COLUMN taken_at_ms     INTEGER;
-- When the operator took it: what the zone above says proves it only where that is seen to change.
ALTER TABLE zones ADD COLUMN disproven_at_ms INTEGER;

-- A zone that comes back is the claim that it was.
ALTER TABLE removed_zones ADD COLUMN handed               TEXT;
ALTER TABLE removed_zones ADD COLUMN proven_at_ms         INTEGER;
ALTER TABLE removed_zones ADD COLUMN seen_elsewhere_at_ms INTEGER;
ALTER TABLE removed_zones ADD COLUMN looked_at_ms         INTEGER;
ALTER TABLE removed_zones ADD COLUMN taken_at_ms          INTEGER;
ALTER TABLE removed_zones ADD COLUMN disproven_at_ms      INTEGER;
