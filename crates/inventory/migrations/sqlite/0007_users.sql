-- Who may sign in. An address is kept as it was typed, and known by its lower case.
CREATE TABLE users (
    -- Never used twice: the audit log names them.
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    email          TEXT    NOT NULL,
    email_lower    TEXT    NOT NULL UNIQUE,
    -- Argon2id, in the PHC string format.
    password       TEXT    NOT NULL,
    standing       TEXT    NOT NULL CHECK (standing IN ('user', 'operator')),
    -- Base32; none without a second factor.
    totp_secret    TEXT,
    -- The last step of time whose code was taken: no code counts twice (RFC 6238 §5.2).
    totp_step      INTEGER,
    created_at_ms  INTEGER NOT NULL,
    seen_at_ms     INTEGER
);

-- What signs in once in the place of a code; as hashes.
CREATE TABLE recovery_codes (
    user_id        INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash           TEXT    NOT NULL,
    PRIMARY KEY (user_id, hash)
);

CREATE TABLE members (
    tenant_id      INTEGER NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id        INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role           TEXT    NOT NULL CHECK (role IN ('viewer', 'editor', 'owner')),
    since_ms       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
);

CREATE INDEX members_user ON members (user_id);

-- Browsers that are signed in, each by the hash of the secret that it holds.
CREATE TABLE sessions (
    hash           TEXT    PRIMARY KEY,
    user_id        INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- What is still to be shown: a code, or nothing.
    stage          TEXT    NOT NULL CHECK (stage IN ('code', 'open')),
    created_at_ms  INTEGER NOT NULL,
    used_at_ms     INTEGER NOT NULL,
    ends_at_ms     INTEGER NOT NULL,
    address        TEXT    NOT NULL,
    agent          TEXT    NOT NULL
);

CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_end ON sessions (ends_at_ms);

-- What programs show; as hashes.
CREATE TABLE tokens (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id      INTEGER NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name           TEXT    NOT NULL,
    hash           TEXT    NOT NULL UNIQUE,
    -- Words with spaces between them.
    scopes         TEXT    NOT NULL,
    made_by        TEXT    NOT NULL,
    -- The user who made it, with whom it goes; none for one that this machine has made.
    user_id        INTEGER REFERENCES users (id) ON DELETE CASCADE,
    created_at_ms  INTEGER NOT NULL,
    ends_at_ms     INTEGER,
    used_at_ms     INTEGER,
    UNIQUE (tenant_id, name)
);

CREATE INDEX tokens_user ON tokens (user_id);

-- Links that do one thing once, each by the hash of its secret.
CREATE TABLE links (
    hash           TEXT    PRIMARY KEY,
    purpose        TEXT    NOT NULL CHECK (purpose IN ('operator', 'password')),
    user_id        INTEGER REFERENCES users (id) ON DELETE CASCADE,
    created_at_ms  INTEGER NOT NULL,
    ends_at_ms     INTEGER NOT NULL
);

-- What was changed, by whom, and from where. A row says it in words and stands alone: what it tells of may be gone.
CREATE TABLE audit (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    -- None for what is no tenant's.
    tenant_id      INTEGER REFERENCES tenants (id) ON DELETE CASCADE,
    at_ms          INTEGER NOT NULL,
    actor          TEXT    NOT NULL,
    address        TEXT,
    act            TEXT    NOT NULL,
    subject        TEXT    NOT NULL,
    -- JSON, without any secret.
    details        TEXT    NOT NULL
);

CREATE INDEX audit_tenant ON audit (tenant_id, id);
