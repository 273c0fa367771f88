-- A version of the read models is a schema now, so nothing needs to tell generations within one. The
-- column goes in a later release: replicas that still run name it when they begin.
ALTER TABLE projection ALTER COLUMN generation DROP NOT NULL;
