"""What happens for the gallery, one file a domain; `tests.gallery.kinds` lists what each shows."""
