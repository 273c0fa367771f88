-- The log may have several shards, each with positions of its own: a row for each.
ALTER TABLE projection ADD COLUMN shard smallint NOT NULL DEFAULT 0;
ALTER TABLE projection DROP CONSTRAINT projection_pkey, ADD PRIMARY KEY (name, shard);
