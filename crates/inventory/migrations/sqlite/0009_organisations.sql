-- What people call a tenant: any text, and several may have the same. `name` is for this database alone.
ALTER TABLE tenants ADD COLUMN display_name  TEXT    NOT NULL DEFAULT '';
-- 0 for those that were here before.
ALTER TABLE tenants ADD COLUMN created_at_ms INTEGER NOT NULL DEFAULT 0;
UPDATE tenants SET display_name = name;

-- The last number that was given; none is given twice, whatever is deleted: pages and audit logs name them.
CREATE TABLE numbers (
    kind           TEXT    PRIMARY KEY,
    last           INTEGER NOT NULL
);
INSERT INTO numbers (kind, last) SELECT 'tenants', MAX(id) FROM tenants;

-- When somebody showed that they read what is sent to their address.
ALTER TABLE users ADD COLUMN verified_at_ms INTEGER;

-- Links for more: signing up, joining a tenant, another address.
CREATE TABLE links_of_more_kinds (
    hash           TEXT    PRIMARY KEY,
    purpose        TEXT    NOT NULL CHECK (purpose IN ('operator', 'password', 'sign_up', 'invitation', 'email')),
    -- Whom it is about; of an invitation whoever has made it, with whom it goes.
    user_id        INTEGER REFERENCES users (id) ON DELETE CASCADE,
    created_at_ms  INTEGER NOT NULL,
    ends_at_ms     INTEGER NOT NULL,
    -- Whom it is for, who may be nobody's user yet.
    email          TEXT,
    email_lower    TEXT,
    -- Whether it was sent there by mail, so that whoever uses it reads what is sent there.
    is_by_mail     INTEGER NOT NULL DEFAULT 0,
    tenant_id      INTEGER REFERENCES tenants (id) ON DELETE CASCADE,
    role           TEXT    CHECK (role IN ('viewer', 'editor', 'owner')),
    made_by        TEXT,
    -- What somebody who signs up has chosen: a password (Argon2id) and what their organisation is called.
    password       TEXT,
    organisation   TEXT
);
INSERT INTO links_of_more_kinds (hash, purpose, user_id, created_at_ms, ends_at_ms)
    SELECT hash, purpose, user_id, created_at_ms, ends_at_ms FROM links;
DROP TABLE links;
ALTER TABLE links_of_more_kinds RENAME TO links;

CREATE INDEX links_user ON links (user_id);
CREATE INDEX links_tenant ON links (tenant_id, email_lower);
CREATE INDEX links_email ON links (email_lower);
CREATE INDEX links_end ON links (ends_at_ms);

-- Browsers that somebody has signed in with, each by the hash of a secret that it keeps: others who try passwords do not
-- keep it out. It opens nothing.
CREATE TABLE devices (
    hash           TEXT    PRIMARY KEY,
    user_id        INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    used_at_ms     INTEGER NOT NULL
);

CREATE INDEX devices_user ON devices (user_id);
