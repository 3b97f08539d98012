"""The demo: the real daemon between a typed scanner, an indicator that prints, and a broker and centre of its own.

No production code imports it. It is part of the wheel, so it uses nothing of the test harness.
"""
