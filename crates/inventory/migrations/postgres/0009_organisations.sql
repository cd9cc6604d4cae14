-- What people call a tenant: any text, and several may have the same. `name` is for this database alone.
ALTER TABLE tenants ADD COLUMN display_name  TEXT    COLLATE "C" NOT NULL DEFAULT '';
-- 0 for those that were here before.
ALTER TABLE tenants ADD COLUMN created_at_ms BIGINT  NOT NULL DEFAULT 0;
UPDATE tenants SET display_name = name;

-- The last number that was given; none is given twice, whatever is deleted: pages and audit logs name them.
CREATE TABLE numbers (
    kind           TEXT    COLLATE "C" PRIMARY KEY,
    last           BIGINT  NOT NULL
);
INSERT INTO numbers (kind, last) SELECT 'tenants', MAX(id) FROM tenants;

-- When somebody showed that they read what is sent to their address.
ALTER TABLE users ADD COLUMN verified_at_ms BIGINT;

-- Links for more: signing up, joining a tenant, another address.
ALTER TABLE links DROP CONSTRAINT links_purpose_check;
ALTER TABLE links ADD CONSTRAINT links_purpose_check
    CHECK (purpose IN ('operator', 'password', 'sign_up', 'invitation', 'email'));
-- Whom it is for, who may be nobody's user yet. `user_id` is whom it is about; of an invitation whoever has made it, with
-- whom it goes.
ALTER TABLE links ADD COLUMN email        TEXT   COLLATE "C";
ALTER TABLE links ADD COLUMN email_lower  TEXT   COLLATE "C";
-- Whether it was sent there by mail, so that whoever uses it reads what is sent there.
ALTER TABLE links ADD COLUMN is_by_mail   BIGINT NOT NULL DEFAULT 0;
ALTER TABLE links ADD COLUMN tenant_id    BIGINT REFERENCES tenants (id) ON DELETE CASCADE;
ALTER TABLE links ADD COLUMN role         TEXT   COLLATE "C" CHECK (role IN ('viewer', 'editor', 'owner'));
ALTER TABLE links ADD COLUMN made_by      TEXT   COLLATE "C";
-- What somebody who signs up has chosen: a password (Argon2id) and what their organisation is called.
ALTER TABLE links ADD COLUMN password     TEXT   COLLATE "C";
ALTER TABLE links ADD COLUMN organisation TEXT   COLLATE "C";

CREATE INDEX links_user ON links (user_id);
CREATE INDEX links_tenant ON links (tenant_id, email_lower);
CREATE INDEX links_email ON links (email_lower);
CREATE INDEX links_end ON links (ends_at_ms);

-- Browsers that somebody has signed in with, each by the hash of a secret that it keeps: others who try passwords do not
-- keep it out. It opens nothing.
CREATE TABLE devices (
    hash           TEXT    COLLATE "C" PRIMARY KEY,
    user_id        BIGINT  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    used_at_ms     BIGINT  NOT NULL
);

CREATE INDEX devices_user ON devices (user_id);
