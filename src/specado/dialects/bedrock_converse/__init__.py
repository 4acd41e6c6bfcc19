"""Amazon Bedrock dialect: `Converse` and `ConverseStream`."""
