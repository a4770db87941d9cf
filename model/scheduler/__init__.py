"""The scheduler's decisions for one pod on one snapshot, as pure functions, one module a plugin.

The profile is the default one of v1.35 (``pkg/scheduler/apis/config/v1/default_plugins.go``)
without its volume and device plugins. ``profile`` runs it; the other modules are its plugins.
"""
