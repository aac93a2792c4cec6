"""Search: what a reader types -> posts, best first; the same posts in the same order on every database.

The doors are few, so that a search server can stand behind them one day:

    index.write(posts)  index.write_tags(post_ids)  index.remove(post_id)    inside the transaction that saves
    query.search(text, offset=, limit=) -> Results        query.suggest(text, limit=) -> list of posts

How it is stored. One ordinary table, SearchWord, says of a word (of one field: title, tags, body, pinyin) and a block
of 4096 post ids which of these hold it: a list of two-byte numbers while they are few, a bitmap of 512 bytes from
then on. A query fetches the rows of its words by primary key, then everything is `and` and `or` of whole numbers in
Python. Who may be seen is asked of the posts themselves at query time, so a scheduled post is found when its time
has come.

Why not the databases' own full-text search, or a row for each word of a post? Measured with 10,000 posts of 600 words
(two thirds Chinese, 720 different words in a post), 2 cores, SQLite 3.40, MariaDB 10.11:

                                        size      indexing a post     ids of the 6,700 posts with a word
    SQLite FTS5                        57 MB           1.5 ms              2 ms
    MariaDB FULLTEXT                  457 MB           3 ms             1100 ms
    a row for each word of a post
      SQLite                          145 MB          20 ms                8 ms
      MariaDB                         545 MB          29 ms               27 ms
    this
      SQLite                          101 MB          31 ms                1 ms
      MariaDB                         197 MB    84 ms, the whole save      (not measured alone)

FULLTEXT also finds nothing before the commit, drops words under three letters, and ranks by a formula that is not
FTS5's, so neither tests nor readers would see the same twice. A row for each word would be 5 GB for 100,000 posts.
The upper four are bare SQL; what a save costs here is for the most part Python's, and an edit touches only the words
that changed (5 ms).

A page of results takes 13 to 20 ms of processor time with 10,000 posts, on either database; 25 to 30 for a single
character, which begins thousands of words. It hardly grows with the blog (SQLite, 100,000 posts: 14 to 23 ms; a single
character 140): the public posts are not read, only the newest of them, those few that stand in the better sets, and
the ids that must not be shown (PostQuerySet.newest_searchable_ids). Nothing is kept between two searches, so nothing
goes stale. All public ids are read, 10 ms for 10,000, when the posts asked for are neither few nor among the newest.
`python -m tests.bench.search` measures it again.
"""
