"""Signals that the apps above may listen to."""

from django.dispatch import Signal

# Sent inside the transaction that adds, hides, restores or deletes comments; `post_ids`: the posts concerned;
# `withdrawn`: whether a comment, or words of one, that readers could see is gone.
comments_changed = Signal()
