"""What the real controllers read of API objects, where the model has only counts.

Tests put recorded objects to decisions of the model with it, and complete the model's deletion
ranking by what times say.
"""
