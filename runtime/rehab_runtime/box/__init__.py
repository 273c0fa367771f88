"""A box seals small secrets of a service. `box` is what seals, `file` and `kept` are where its keys
come from, `opening` makes what the settings say."""

from rehab_runtime.box.box import NONCE_BYTES, Box, joined
from rehab_runtime.box.opening import open_box

__all__ = ["NONCE_BYTES", "Box", "joined", "open_box"]
