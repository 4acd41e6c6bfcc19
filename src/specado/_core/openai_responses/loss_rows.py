"""Ids of the loss rows that the Responses encoders report; `ROW_IDS` has all of them."""

ROW_IDS = ()
