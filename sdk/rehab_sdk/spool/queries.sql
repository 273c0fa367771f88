-- name: create_spool: one row: whose file it is, and how far its device came
CREATE TABLE spool (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    file_id BLOB NOT NULL,
    clinic_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    key_check BLOB,
    epoch INTEGER NOT NULL,
    settled_seq INTEGER NOT NULL,
    resume_token TEXT NOT NULL
)

-- name: create_event: unsettled events in order; a sequence number is settled_seq and the place in it
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    rank INTEGER NOT NULL,
    kept_at REAL NOT NULL,
    size INTEGER NOT NULL,
    sealed BLOB NOT NULL
)

-- name: create_event_by_rank: finds what goes first
CREATE INDEX event_by_rank ON event (rank, id)

-- name: create_aside: refused and dropped events, until the program has looked at them
CREATE TABLE aside (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    why TEXT NOT NULL,
    at REAL NOT NULL,
    sealed BLOB NOT NULL,
    said BLOB NOT NULL
)

-- name: begin: a new file's row
INSERT INTO spool (one, file_id, clinic_id, device_id, key_check, epoch, settled_seq, resume_token)
VALUES (1, ?, ?, ?, ?, ?, 0, '')

-- name: whose: the file's row
SELECT file_id, clinic_id, device_id, key_check, epoch, settled_seq, resume_token FROM spool

-- name: ids: unsettled events in order
SELECT id, size FROM event ORDER BY id

-- name: newest_id: the newest id ever given
SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?

-- name: keep: an event behind all others
INSERT INTO event (id, rank, kept_at, size, sealed) VALUES (?, ?, ?, ?, ?)

-- name: read: some in order
SELECT id, sealed FROM event WHERE id >= ? ORDER BY id LIMIT ?

-- name: of_rank: those of one rank, oldest first
SELECT id, sealed FROM event WHERE rank = ? ORDER BY id

-- name: oldest: when the oldest was kept, empty when nothing waits
SELECT kept_at FROM event ORDER BY id LIMIT 1

-- name: first_to_go: the lowest in rank, and of those the oldest, behind what is on its way
SELECT id, rank FROM event WHERE id > ? ORDER BY rank, id LIMIT 1

-- name: aged: what is too old, of those below a rank, behind what is on its way
SELECT id FROM event WHERE id > ? AND rank < ? AND kept_at < ? AND kept_at > ? ORDER BY id

-- name: take: one event
SELECT sealed FROM event WHERE id = ?

-- name: drop: one event goes
DELETE FROM event WHERE id = ?

-- name: settle: all up to one go
DELETE FROM event WHERE id <= ?

-- name: came: how far the device came
UPDATE spool SET settled_seq = ?, resume_token = ?

-- name: renumber: a new epoch
UPDATE spool SET epoch = ?, settled_seq = 0, resume_token = ''

-- name: keep_aside: a refused or dropped event
INSERT INTO aside (id, why, at, sealed, said) VALUES (?, ?, ?, ?, ?)

-- name: thin_aside: the oldest of a sort beyond so many
DELETE FROM aside WHERE why = ?1 AND id <= (SELECT id FROM aside WHERE why = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)

-- name: aside: those of a sort, oldest first
SELECT id, at, sealed, said FROM aside WHERE why = ? ORDER BY id

-- name: forget_aside: the program has looked at them
DELETE FROM aside WHERE why = ? AND id <= ?
