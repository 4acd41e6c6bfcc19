"""Capability comparison."""
