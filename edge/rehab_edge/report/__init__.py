"""What a session was, to look at: one HTML file that needs nothing else, or a picture."""

from rehab_edge.report.page import write
from rehab_edge.report.summary import Stage, Summary

__all__ = ["Stage", "Summary", "write"]
