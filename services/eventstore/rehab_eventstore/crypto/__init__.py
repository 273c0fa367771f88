"""Sealing: what makes a body unreadable to all but those who hold its patient's key.

`keys` and `bodies` seal with a patient's data key, `wrapper` is the port to what protects data keys
at rest, with `local`, `vault` and `kms` behind it, and `cache` keeps opened keys for a short while.
Nothing here knows the database; `vault` and `kms` need the extras of the same names.
"""
