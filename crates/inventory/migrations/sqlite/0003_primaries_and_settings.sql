-- How a primary is asked: from which of our addresses, and over TLS with which proof of who it is: `address`,
-- `name:HOST` or `pin:BASE64`.
ALTER TABLE primaries ADD COLUMN source TEXT;
ALTER TABLE primaries ADD COLUMN tls    TEXT;
ALTER TABLE primaries ADD COLUMN alpn   TEXT NOT NULL DEFAULT 'required' CHECK (alpn IN ('required', 'may-be-missing'));
