-- Zones that a catalog has removed are kept for some days, for whoever adds them again; those without a time are to be
-- deleted now.
ALTER TABLE removed_zones ADD COLUMN delete_after_ms INTEGER;
ALTER TABLE removed_zones ADD COLUMN tenant_id       INTEGER REFERENCES tenants (id);
ALTER TABLE removed_zones ADD COLUMN name            TEXT;
-- What its catalog knew the zone by: under another label it begins anew (RFC 9432 §5.4).
ALTER TABLE removed_zones ADD COLUMN label           TEXT;

CREATE INDEX removed_zones_name ON removed_zones (tenant_id, name);
