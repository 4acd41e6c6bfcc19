"""Losses of a translation: the table of their rows, the report, the entries of the field tables."""
