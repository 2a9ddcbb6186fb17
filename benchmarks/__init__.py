"""The figures that README and the issues name, measured on this machine: `make bench`."""
