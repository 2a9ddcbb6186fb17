"""The gallery: everything that people see of the bot in Discord, as pictures on one page.

`make gallery ARGS=folder` takes them from the running bot in a simulated Discord, in every language, on a
phone and on a desk, dark and light. `test_gallery.py` runs the bot's part of it, without pictures.
"""
