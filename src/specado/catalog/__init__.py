"""Providers and models as data: manifests, look-up, prices."""
