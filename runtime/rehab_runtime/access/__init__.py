"""Who may do what: one table, one decision, and what it rests on."""
