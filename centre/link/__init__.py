"""The connections to the brokers: what comes in, and what is retained there."""
