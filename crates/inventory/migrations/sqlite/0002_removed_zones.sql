-- Zones whose contents are to be deleted. Only what stands here is ever deleted from the store: a zone that is merely
-- missing in `zones` may be missing because this database is a new one, or an old copy.
CREATE TABLE removed_zones (
    zone_id       INTEGER PRIMARY KEY
);
