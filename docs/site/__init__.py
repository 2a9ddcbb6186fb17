"""Makes a web site of `docs/`: the pages are staged, the reference is generated, and zensical builds both."""
