"""Who keeps keys at rest.

`wrapper` is the port to what wraps keys, with `local` (a key file), `vault` and `kms` behind it;
`steady` asks again, `moving` joins two while keys move, `opening` makes what the settings say.
Nothing here knows a database; `vault` and `kms` need the extras of the same names.
"""
