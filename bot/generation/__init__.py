"""From the options of a request to texts: the service, the warm samplers, and the limits before them."""
