"""The log proves itself: checkpoints are signed, and the chain of hashes can be walked."""
