"""What the log tells of patients that decisions rest on, who may what by it, and who did."""
