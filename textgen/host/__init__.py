"""What differs from one installation to another: which optional packages it has."""
