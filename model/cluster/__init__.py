"""What components share: the world of a scenario, and what cells hold."""
