"""Versions of the read models. Each is a schema of the database with all tables of its own."""
