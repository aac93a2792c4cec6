"""Django's backend for SQLite; but what the library can do is known without a transaction.

Django asks whether SQLite knows JSON inside a transaction. Ours take the write lock first (see settings), so that the
first page after a start waited for whoever held it, and took a lock it didn't get for a library without JSON.
"""

from django.db.backends.sqlite3 import base, features


class DatabaseFeatures(features.DatabaseFeatures):
    supports_json_field = True  # part of SQLite since 3.38, and of what Python is built with before


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures
