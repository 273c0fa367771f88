"""The only place that knows the tables."""
