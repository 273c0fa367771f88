"""The log in PostgreSQL: the only place that knows SQL."""
