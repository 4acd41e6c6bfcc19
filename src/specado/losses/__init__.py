"""Losses of a translation: the table of loss rows, the loss report, the field table entries."""
