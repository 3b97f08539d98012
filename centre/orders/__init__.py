"""Orders and reference data: how they come in, what is published of them, what became of them."""
