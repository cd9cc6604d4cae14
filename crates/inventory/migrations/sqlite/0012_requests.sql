-- Requests that clients may send again, and what they were answered. Neither what a client calls a request nor what it sent is
-- here, only hashes of both; the answer is sealed with what only the client has.
CREATE TABLE requests (
    tenant_id     INTEGER NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id            TEXT    NOT NULL,
    sent          TEXT    NOT NULL,
    begun_at_ms   INTEGER NOT NULL,
    -- None while it is carried out, and if the program ended meanwhile.
    answer        TEXT   ,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX requests_begun ON requests (begun_at_ms);
