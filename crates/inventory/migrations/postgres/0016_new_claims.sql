-- Claims that nobody has looked at yet are found at once, however many others there are.
CREATE INDEX zones_new_claims ON zones (id) WHERE proof IS NULL AND looked_at_ms IS NULL;
