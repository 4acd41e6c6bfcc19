"""Catalog of providers and models as data: manifests, lookup, prices."""
