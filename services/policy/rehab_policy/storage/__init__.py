"""What policy keeps, in PostgreSQL."""
