"""What every service of RehabTrack stands on, one subject a module."""
