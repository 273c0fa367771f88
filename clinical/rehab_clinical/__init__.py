"""The formulae of rehabilitation as pure functions over the log: plans, occurrences, sessions,
adherence, quality and pain. docs/domain publishes them with vectors."""
