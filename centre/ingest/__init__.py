"""From messages of the brokers to stored events, and back: acknowledgements, and requests for what is missing."""
