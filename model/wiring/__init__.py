"""How the components act on cells: one module a component, each building its rules.

The decisions themselves are elsewhere (``model/controllers``, ``model/scheduler``, ``model/node``),
in Kubernetes' own terms; the modules here only carry them between cells and tallies.
"""
