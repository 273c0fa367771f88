"""Whether what the device sees now is still what its models were tried on.

Two things look alike from outside: a sensor that changed (another lens, a lamp, a dropped frame
rate) and a person who moves otherwise than before, as everybody does who recovers. They are told
apart by what they are measured on, and reported as different causes.
"""

from rehab_edge.drift.features import FEATURES, sample
from rehab_edge.drift.monitor import Finding, Monitor
from rehab_edge.drift.reference import Cause, Feature, Reference, TooFew
from rehab_edge.drift.watch import Watch

__all__ = [
    "FEATURES",
    "Cause",
    "Feature",
    "Finding",
    "Monitor",
    "Reference",
    "TooFew",
    "Watch",
    "sample",
]
