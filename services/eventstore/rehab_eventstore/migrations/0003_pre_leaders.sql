-- Where the replica that leads a shard takes appends of the others; empty when it cannot be reached.
ALTER TABLE relay_lease ADD COLUMN address text COLLATE "C" NOT NULL DEFAULT '';
