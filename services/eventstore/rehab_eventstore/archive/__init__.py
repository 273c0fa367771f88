"""The archive: old events in object storage, still part of the log and read like all others."""
