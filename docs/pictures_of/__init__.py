"""What `docs.make_pictures` draws, takes and renders: one file a kind of picture."""
