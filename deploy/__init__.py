"""How the blog is run: files for nginx, systemd and containers, and `make fleet`."""
