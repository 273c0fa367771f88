-- Appends as other event stores on PostgreSQL do them, written anew from what their sources and
-- documentation describe: which rows are locked, what is checked, in which order numbers are given.
-- One event a call; $1 stream, $2 expected version or NULL, $3 event id, $4 kind, $5 body.

-- name: commanded: the stream's row and the row of $all are updated, so that all appends follow each
-- other; every event stands once in its stream and once in $all; each commit notifies
CREATE SCHEMA commanded;
CREATE TABLE commanded.streams (
    stream_id bigserial PRIMARY KEY, stream_uuid text NOT NULL UNIQUE,
    stream_version bigint NOT NULL DEFAULT 0
);
INSERT INTO commanded.streams (stream_id, stream_uuid) VALUES (0, '$all');
CREATE TABLE commanded.events (
    event_id uuid PRIMARY KEY, event_type text NOT NULL, data bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE commanded.stream_events (
    event_id uuid NOT NULL REFERENCES commanded.events, stream_id bigint NOT NULL REFERENCES commanded.streams,
    stream_version bigint NOT NULL, original_stream_id bigint, original_stream_version bigint,
    PRIMARY KEY (event_id, stream_id)
);
CREATE UNIQUE INDEX ON commanded.stream_events (stream_id, stream_version);
CREATE FUNCTION commanded.append(s text, expected bigint, id uuid, kind text, body bytea)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE sid bigint; version bigint; place bigint;
BEGIN
    INSERT INTO commanded.streams (stream_uuid, stream_version) VALUES (s, 1)
    ON CONFLICT (stream_uuid) DO UPDATE SET stream_version = commanded.streams.stream_version + 1
    RETURNING stream_id, stream_version INTO sid, version;
    IF expected IS NOT NULL AND version <> expected + 1 THEN RAISE EXCEPTION 'wrong version'; END IF;
    INSERT INTO commanded.events (event_id, event_type, data) VALUES (id, kind, body);
    INSERT INTO commanded.stream_events VALUES (id, sid, version, sid, version);
    UPDATE commanded.streams SET stream_version = stream_version + 1 WHERE stream_id = 0
    RETURNING stream_version INTO place;
    INSERT INTO commanded.stream_events VALUES (id, 0, place, sid, version);
    PERFORM pg_notify('commanded', s || ',' || sid || ',' || version);
    RETURN place;
END $$;

-- name: message_db: an advisory lock of the category, the last version looked up, positions from a
-- sequence
CREATE SCHEMA message_db;
CREATE TABLE message_db.messages (
    global_position bigserial PRIMARY KEY, position bigint NOT NULL, time timestamptz NOT NULL DEFAULT now(),
    stream_name text NOT NULL, type text NOT NULL, data bytea, id uuid NOT NULL UNIQUE
);
CREATE UNIQUE INDEX ON message_db.messages (stream_name, position);
CREATE FUNCTION message_db.append(s text, expected bigint, id uuid, kind text, body bytea)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE version bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(split_part(s, '-', 1), 0));
    SELECT max(position) INTO version FROM message_db.messages WHERE stream_name = s;
    version := coalesce(version, -1);
    IF expected IS NOT NULL AND version + 1 <> expected THEN RAISE EXCEPTION 'wrong version'; END IF;
    INSERT INTO message_db.messages (position, stream_name, type, data, id)
    VALUES (version + 1, s, kind, body, id);
    RETURN version + 1;
END $$;

-- name: marten: the stream's row gives the version and is moved in the same function; sequence numbers
-- come from a sequence, so that gaps and late commits are readers' work
CREATE SCHEMA marten;
CREATE SEQUENCE marten.events_sequence;
CREATE TABLE marten.streams (
    id text PRIMARY KEY, version bigint NOT NULL, "timestamp" timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE marten.events (
    seq_id bigint PRIMARY KEY, id uuid NOT NULL, stream_id text NOT NULL REFERENCES marten.streams,
    version bigint NOT NULL, data bytea NOT NULL, type text NOT NULL,
    "timestamp" timestamptz NOT NULL DEFAULT now(), UNIQUE (stream_id, version)
);
CREATE FUNCTION marten.append(s text, expected bigint, event_id uuid, kind text, body bytea)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE now_at bigint; place bigint;
BEGIN
    SELECT version INTO now_at FROM marten.streams WHERE id = s;
    IF now_at IS NULL THEN
        now_at := 0;
        INSERT INTO marten.streams (id, version) VALUES (s, 0);
    END IF;
    IF expected IS NOT NULL AND now_at <> expected THEN RAISE EXCEPTION 'wrong version'; END IF;
    place := nextval('marten.events_sequence');
    INSERT INTO marten.events (seq_id, id, stream_id, version, data, type)
    VALUES (place, event_id, s, now_at + 1, body, kind);
    UPDATE marten.streams SET version = now_at + 1, "timestamp" = now() WHERE id = s;
    RETURN place;
END $$;

-- name: emmett: the stream's position is moved where it is what was expected; rows carry the
-- transaction's id, by which readers stay behind open transactions
CREATE SCHEMA emmett;
CREATE SEQUENCE emmett.global_position;
CREATE TABLE emmett.streams (stream_id text PRIMARY KEY, stream_position bigint NOT NULL);
CREATE TABLE emmett.messages (
    stream_id text NOT NULL, stream_position bigint NOT NULL, message_id uuid NOT NULL,
    message_type text NOT NULL, message_data bytea NOT NULL,
    global_position bigint NOT NULL DEFAULT nextval('emmett.global_position'),
    transaction_id xid8 NOT NULL, created timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream_id, stream_position)
);
CREATE INDEX ON emmett.messages (transaction_id, global_position);
CREATE FUNCTION emmett.append(s text, expected bigint, id uuid, kind text, body bytea)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE was bigint; moved integer; place bigint; mine xid8 := pg_current_xact_id();
BEGIN
    IF expected IS NULL THEN
        SELECT stream_position INTO was FROM emmett.streams WHERE stream_id = s;
        was := coalesce(was, 0);
    ELSE
        was := expected;
    END IF;
    INSERT INTO emmett.messages (stream_id, stream_position, message_id, message_type, message_data, transaction_id)
    VALUES (s, was + 1, id, kind, body, mine) RETURNING global_position INTO place;
    IF was = 0 THEN
        INSERT INTO emmett.streams VALUES (s, 1);
    ELSE
        UPDATE emmett.streams SET stream_position = was + 1 WHERE stream_id = s AND stream_position = was;
        GET DIAGNOSTICS moved = ROW_COUNT;
        IF moved = 0 THEN RAISE EXCEPTION 'wrong version'; END IF;
    END IF;
    RETURN place;
END $$;
