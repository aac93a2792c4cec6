"""Readers who have chosen the language of the interface."""

from django.test import Client


def in_english(client: Client) -> Client:
    """Let the client have the interface in English from now on, as the switch at the foot of each page does."""
    client.cookies["language"] = "en"
    return client
