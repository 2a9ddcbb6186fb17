"""What differs from one installation or machine to another: optional packages, cores."""
