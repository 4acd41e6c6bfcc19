"""Measures specado beside its peers: `python benchmarks/peers`."""
