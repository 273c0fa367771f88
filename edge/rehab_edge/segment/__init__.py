"""Where repetitions begin and end, told by the movement alone."""

from rehab_edge.segment.counter import Counter, Repetition, segment

__all__ = ["Counter", "Repetition", "segment"]
