"""What one repetition was like: range, tempo, sides, smoothness, compensations."""
