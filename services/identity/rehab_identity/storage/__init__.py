"""What is in the database. The only place for SQL."""
