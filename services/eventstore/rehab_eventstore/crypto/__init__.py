"""Sealing: what makes a body unreadable to all but those who hold its patient's key.

`keys` and `bodies` seal with a patient's data key, and `cache` keeps opened keys for a short while.
Nothing here knows the database, nor who wraps data keys: `rehab_runtime.keepers` does.
"""
