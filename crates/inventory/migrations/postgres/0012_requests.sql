-- Requests that clients may send again, and what they were answered. Neither what a client calls a request nor what it sent is
-- here, only hashes of both; the answer is sealed with what only the client has.
CREATE TABLE requests (
    tenant_id     BIGINT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id            TEXT COLLATE "C" NOT NULL,
    sent          TEXT COLLATE "C" NOT NULL,
    begun_at_ms   BIGINT NOT NULL,
    -- None while it is carried out, and if the program ended meanwhile.
    answer        TEXT COLLATE "C",
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX requests_begun ON requests (begun_at_ms);
