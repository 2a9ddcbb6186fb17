"""The counted models of a bundle as columns, without what follows from the rest."""
