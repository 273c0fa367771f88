"""Pure folds of events into facts, and the published formulae over them.

Nothing here reads a clock, a random number, a file or a socket: times come in as arguments, and
the same set of events gives the same answers in whatever order it arrived. Only what a therapist
did with a work item follows the order of the log.
"""
