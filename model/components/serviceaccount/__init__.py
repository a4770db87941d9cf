"""The ServiceAccount controller, and the admission of pods by their accounts."""
