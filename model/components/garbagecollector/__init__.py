"""What is deleted because its owner is gone."""
