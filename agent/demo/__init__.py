"""The demo: the real daemon with a scanner that reads typed words, an indicator that prints, a broker and a centre.

No production code imports it. It is part of the wheel, so it uses nothing of the test harness.
"""
