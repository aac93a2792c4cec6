"""How fast things are; none of it is a test."""

ONE_LINE = "/one-line"  # where the smallest Django view stands beside the blog
PAGE_CACHE = "/page-cache"  # where a worker says how full its page cache is
