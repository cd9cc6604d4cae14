-- A zone is a claim on its name. Several tenants may claim one; for whoever has proven the claim the name is answered.
ALTER TABLE zones ADD COLUMN proof TEXT COLLATE "C" CHECK (proof IN ('operator', 'delegation', 'challenge', 'above', 'handed-over'));
ALTER TABLE zones ADD COLUMN proven_at_ms         BIGINT;
-- Since when the proof does not show any more: another claim may be proven in its place.
ALTER TABLE zones ADD COLUMN lapsed_at_ms         BIGINT;
-- When the parent was last seen, since the claim was made, to delegate the name to others or to nobody.
ALTER TABLE zones ADD COLUMN seen_elsewhere_at_ms BIGINT;
-- When a proof was last looked for.
ALTER TABLE zones ADD COLUMN looked_at_ms         BIGINT;
-- The text that proves the claim where the name is delegated to; none until it is asked for.
ALTER TABLE zones ADD COLUMN challenge            TEXT COLLATE "C";

UPDATE zones SET proof = 'operator', proven_at_ms = created_at_ms WHERE service <> 'unproven';
UPDATE zones SET service = 'answering' WHERE service = 'unproven';

DROP INDEX zones_answered_name;
CREATE UNIQUE INDEX zones_proven_name ON zones (name) WHERE proof IS NOT NULL;

-- What is kept of a zone goes on with its proof, unless somebody else has one by then.
ALTER TABLE removed_zones ADD COLUMN proof TEXT COLLATE "C";

-- The name servers that a tenant delegates to, in lower case and in order, with spaces between them.
ALTER TABLE tenants ADD COLUMN name_servers TEXT COLLATE "C";

-- Sets that were given to a tenant. None is ever given again: a name that still points to one must not fall to whoever comes
-- next.
CREATE TABLE name_server_sets (
    name_servers  TEXT COLLATE "C" PRIMARY KEY,
    tenant_id     BIGINT NOT NULL
);
