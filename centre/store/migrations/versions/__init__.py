"""The migrations, `revision_NNNN.py`. One that was released is never changed."""
