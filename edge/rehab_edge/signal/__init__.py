"""Signals as sensors give them: noisy, at any rate, with gaps."""
