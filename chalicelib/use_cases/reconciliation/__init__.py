"""What `use_cases.reconcile` compares, two records of one fact at a time."""
