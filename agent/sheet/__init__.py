"""What is printed for the bench: barcodes on paper."""
