"""What the events mean: from documents to boxes, their contents and the states of orders. Pure."""
