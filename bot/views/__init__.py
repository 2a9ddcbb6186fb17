"""Buttons, menus and forms, and the one place that answers interactions."""
