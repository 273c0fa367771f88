"""Other event stores, on the same machine in the same run."""
