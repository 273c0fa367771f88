"""What the log decides, without a clock, a socket or a database."""
