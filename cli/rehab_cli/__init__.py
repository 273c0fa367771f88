"""The `rehab` command: run the suite on one machine, simulate a clinic, look inside."""
