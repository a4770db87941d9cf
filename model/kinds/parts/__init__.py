"""What objects of several kinds are made of: metadata, templates of pods, selectors, amounts."""
