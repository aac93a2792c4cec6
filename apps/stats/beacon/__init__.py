"""The beacon: the small request of every page that counts its view and brings the page's numbers up to date."""
