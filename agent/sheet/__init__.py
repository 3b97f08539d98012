"""The barcodes of the bench on paper: what is printed, and how (`commands.md#sheet`)."""
