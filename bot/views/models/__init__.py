"""One model of the server: looked up for a person, and taken along as a bundle or as a web page."""
