"""The kinds of the Kubernetes API, one file each, and in ``parts/`` what several of them share.

``kind.py`` says what there is to be known of a kind, ``registry.py`` lists those that are read, and
``other.py`` those that are not.
"""
