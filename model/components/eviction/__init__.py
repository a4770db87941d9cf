"""The API server's eviction subresource, which spends disruption budgets."""
