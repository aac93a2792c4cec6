"""Two changes of one text become one, or are said to contradict each other; no time grows out of bounds."""

import random
import time
from itertools import pairwise

import pytest

from apps.posts.writing.deltas import apply, delta, packed, unpacked
from apps.posts.writing.matching import matching_blocks
from apps.posts.writing.merging import MAX_PARAGRAPHS, merge_texts

BASE = "one\n\ntwo\n\nthree\n\nfour\n\nfive\n"
WORDS = ["a", "b", "c", "", "春", "```", "long line", "}"]


def changed(text: str, **replaced: str) -> str:
    for old, new in replaced.items():
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("mine", "theirs", "wanted"),
    [
        (changed(BASE, one="ONE"), changed(BASE, five="FIVE"), changed(BASE, one="ONE", five="FIVE")),
        (changed(BASE, two="TWO"), changed(BASE, three="THREE"), changed(BASE, two="TWO", three="THREE")),
        (BASE, changed(BASE, two="TWO"), changed(BASE, two="TWO")),
        (changed(BASE, two="TWO"), BASE, changed(BASE, two="TWO")),
        (changed(BASE, two="TWO"), changed(BASE, two="TWO"), changed(BASE, two="TWO")),
        (BASE + "\nsix\n", changed(BASE, one="ONE"), changed(BASE, one="ONE") + "\nsix\n"),
        (BASE.replace("two\n\n", ""), BASE + "\nsix\n", BASE.replace("two\n\n", "") + "\nsix\n"),
        (BASE.replace("\n", "\r\n"), changed(BASE, two="TWO"), changed(BASE, two="TWO")),
        ("zero\n\n" + BASE, changed(BASE, five="FIVE"), "zero\n\n" + changed(BASE, five="FIVE")),
    ],
)
def test_changes_that_do_not_touch_are_both_kept(mine: str, theirs: str, wanted: str) -> None:
    merged = merge_texts(BASE, mine, theirs)
    assert merged is not None
    assert (merged.text, merged.conflicts) == (wanted, 0)


def test_where_both_change_one_paragraph_mine_stays_and_the_rest_is_merged() -> None:
    merged = merge_texts(BASE, changed(BASE, two="mine"), changed(BASE, two="theirs", five="FIVE"))
    assert merged is not None
    assert (merged.text, merged.conflicts) == (changed(BASE, two="mine", five="FIVE"), 1)


def test_one_side_deleting_what_the_other_changes_is_a_conflict() -> None:
    merged = merge_texts(BASE, BASE.replace("two\n\n", ""), changed(BASE, two="TWO"))
    assert merged is not None and merged.conflicts == 1


def any_text(chance: random.Random, words: list[str] = WORDS) -> str:
    return "".join(chance.choice(words) + chance.choice(["\n", "\n\n"]) for _ in range(chance.randrange(12)))


def edited(chance: random.Random, text: str) -> str:
    parts = text.split("\n\n")
    for _ in range(chance.randrange(3)):
        at = chance.randrange(len(parts) + 1)
        parts[at : at + chance.randrange(2)] = [f"new {chance.randrange(1000)}"] * chance.randrange(2)
    return "\n\n".join(parts)


def test_a_merge_of_any_texts_keeps_the_laws_of_diff3() -> None:
    for seed in range(1500):
        chance = random.Random(seed)
        base = any_text(chance)
        mine, theirs = edited(chance, base), edited(chance, base)
        one, other = merge_texts(base, mine, theirs), merge_texts(base, theirs, mine)
        assert one is not None and other is not None
        # Whichever comes first, the places of conflict are the same; without any, so are the paragraphs.
        assert one.conflicts == other.conflicts, seed
        if not one.conflicts:
            assert one.text.rstrip("\n") == other.text.rstrip("\n"), seed
            # Nothing that one side wrote is lost.
            written = {line for side in (mine, theirs) for line in side.split("\n") if line.startswith("new ")}
            assert written <= set(one.text.split("\n")), seed
        assert paragraphs(merge_texts(base, mine, base)) == paragraphs_of(mine), seed
        assert paragraphs(merge_texts(base, base, theirs)) == paragraphs_of(theirs), seed
        same = merge_texts(base, mine, mine)
        assert same is not None and same.conflicts == 0 and paragraphs(same) == paragraphs_of(mine), seed


def paragraphs(merged: object) -> str:
    return paragraphs_of(merged.text)  # type: ignore[attr-defined]


def paragraphs_of(text: str) -> str:
    return text.rstrip("\n")


def test_what_matches_is_the_same_on_both_sides_and_in_order() -> None:
    for seed in range(1500):
        chance = random.Random(seed)
        left, right = ([chance.choice("abcdefgh") for _ in range(chance.randrange(14))] for _ in range(2))
        blocks = matching_blocks(left, right)
        for i, j, length in blocks:
            assert length and left[i : i + length] == right[j : j + length], seed
        for (i, j, length), (after, after_right, _) in pairwise(blocks):
            assert i + length <= after and j + length <= after_right, seed
        assert matching_blocks(left, left) == ([(0, 0, len(left))] if left else [])


def test_any_text_comes_back_from_its_compact_form() -> None:
    for seed in range(500):
        chance = random.Random(seed)
        base, text = any_text(chance), any_text(chance)
        assert apply(base, delta(base, text)) == text
        assert unpacked(packed(text)) == text
    odd = "half \ud800 a character\r\n\0 终。"
    assert apply("", delta("", odd)) == odd and unpacked(packed(odd)) == odd


@pytest.mark.parametrize("paragraph", ["the same", "", "unlike {}", "ab {}"])
def test_a_merge_of_five_megabytes_takes_bounded_time(paragraph: str) -> None:
    number = 5 * 2**20 // max(40, len(paragraph) + 2)
    base = [f"{paragraph.format(n):<38}" for n in range(number)]
    mine, theirs = list(base), list(base)
    for n in range(0, number - 9, 9):
        mine[n] += "mine"
        theirs[n + 4] += "theirs"
    theirs[number // 2 :] = random.Random(1).sample(theirs[number // 2 :], number - number // 2)
    began = time.process_time()
    merged = merge_texts(*("\n\n".join(side) for side in (base, mine, theirs)))
    assert time.process_time() - began < 30
    assert merged is not None


def test_a_text_of_too_many_paragraphs_is_not_merged() -> None:
    assert merge_texts("", "x\n\n" * (MAX_PARAGRAPHS + 1), "y") is None
