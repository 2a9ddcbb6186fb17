"""How long tests wait for what real processes do.

It is never the point of a test, and what has happened is seen at once, so it may be long: a busy machine can
be many times slower than the one on which the test was written.
"""

PATIENCE_S = 180.0
