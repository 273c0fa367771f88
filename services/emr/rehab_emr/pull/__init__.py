"""Systems that are notified and pull: their events, their notifications, and what they read."""
