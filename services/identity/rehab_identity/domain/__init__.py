"""What is decided here, without any I/O."""
