"""The scheduler's decisions for one pod on one snapshot, as pure functions, one module a plugin.

The profile is the default one of v1.35 (``pkg/scheduler/apis/config/v1/default_plugins.go``)
without its device plugins. ``profile`` runs it; the other modules are its plugins. Those of volumes
(``volumes``) and of preemption (``preemption``) stand beside it: in the model's cluster there are
no volumes, and nobody drives out others.
"""
