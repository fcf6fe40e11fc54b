"""What people and the clock do: one actor, one transaction, one audit event at least for each."""
