-- What a zone was copied from before it was pointed at another primary: the way back leads there.
CREATE TABLE former_primaries (
    zone_id         BIGINT PRIMARY KEY REFERENCES zones (id) ON DELETE CASCADE,
    -- As JSON, with the names of their keys.
    primaries       TEXT COLLATE "C" NOT NULL
);
