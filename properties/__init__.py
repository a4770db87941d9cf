"""What Kubernetes promises: statements as named data, and their formulas over a scenario."""
