"""Generate what docs/reference/ says about the code: `make docs`, or `python -m scripts.docs`.

Each page keeps its generated parts between `<!-- generated: NAME -->` and `<!-- end generated -->`.
"""
