"""What waits on the device until the clinic has it: encrypted, bounded, sent when it may be.

The file is the SDK's spool. What is added here is the key, when to send (network, battery, what
kind of thing waits), and that what concerns somebody's safety does not wait its turn.
"""

from rehab_edge.outbox.box import Outbox, Status
from rehab_edge.outbox.conditions import ALWAYS, Conditions, Network, Sending, Waiting, sending
from rehab_edge.outbox.home import Home
from rehab_edge.outbox.key import KeyFileError, device_key
from rehab_edge.outbox.sealed import SealedFile

__all__ = [
    "ALWAYS",
    "Conditions",
    "Home",
    "KeyFileError",
    "Network",
    "Outbox",
    "SealedFile",
    "Sending",
    "Status",
    "Waiting",
    "device_key",
    "sending",
]
