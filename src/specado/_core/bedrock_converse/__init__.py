"""Compiled half of the Bedrock Converse dialect: requests and replies, both directions."""
