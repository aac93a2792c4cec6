"""How well spam is told from comments: `python -m tests.bench.spam [--show]`. No database, no network, no randomness but a seed.

Takes the labelled comments of tests/comments/corpus.txt through the rules that look at the text, alone and with the
classifier taught by nine tenths of the corpus (each tenth is judged by what the other nine have taught; ten times, with
ten shuffles). Prints for each what became of ham and of spam, precision and recall of "not shown at once"; --show
lists the comments that were judged wrongly. Not a test.
"""

import argparse
import os
import random
import shutil
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDS = 10
SHUFFLES = 10


@dataclass
class Memory:
    """The contents of LearnedToken and LearnedTotals, in memory."""

    spam_comments: int = 0
    ham_comments: int = 0
    spam_tokens: int = 0
    ham_tokens: int = 0
    counts: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def vocabulary(self) -> int:
        return len(self.counts)

    def teach(self, buckets: list[int], is_spam: bool) -> None:
        self.spam_comments += is_spam
        self.ham_comments += not is_spam
        self.spam_tokens += is_spam * len(buckets)
        self.ham_tokens += (not is_spam) * len(buckets)
        for bucket in buckets:
            spam, ham = self.counts.get(bucket, (0, 0))
            self.counts[bucket] = spam + is_spam, ham + (not is_spam)


def state_of(labelled: Any, buckets: list[int], memory: Memory | None) -> str:
    """The state that the comment would get."""
    from apps.comments.spam import rules
    from apps.comments.spam.classifier import is_ready, log_odds
    from apps.comments.spam.services import verdict_on

    reasons = [reason for rule in rules.OF_TEXT for reason in rule(labelled.submission())]
    if memory and is_ready(memory):
        reasons += rules.opinion(log_odds(buckets, memory.counts, memory))
    return verdict_on(reasons).state


def judged(comments: list[Any], share: float) -> tuple[Counter[tuple[str, str]], Counter[Any]]:
    """What became of the comments by kind, and which were judged wrongly how often; taught by that share of the rest."""
    from apps.comments.spam.classifier import buckets_of

    buckets = [buckets_of(one) for one in comments]
    states: Counter[tuple[str, str]] = Counter()
    wrong: Counter[Any] = Counter()
    for seed in range(SHUFFLES if share else 1):
        order = list(range(len(comments)))
        random.Random(seed).shuffle(order)
        for fold in range(FOLDS):
            held_out = order[fold::FOLDS]
            others = [number for number in order if number not in set(held_out)]
            memory = Memory()
            for number in others[: round(len(others) * share)]:
                memory.teach(buckets[number], comments[number].is_spam)
            for number in held_out:
                state = state_of(comments[number], buckets[number], memory)
                states[comments[number].kind, state] += 1
                if (state != "visible") != comments[number].is_spam:
                    wrong[comments[number]] += 1
    return states, wrong


def table(states: Counter[tuple[str, str]]) -> str:
    def total(kinds: tuple[str, ...], *wanted: str) -> int:
        return sum(states[kind, state] for kind in kinds for state in wanted)

    lines = ["| kind | shown | held | spam |", "|---|---|---|---|"]
    for kind in ("ham", "hard-ham", "spam", "hard-spam"):
        numbers = [states[kind, state] for state in ("visible", "pending", "spam")]
        lines.append(f"| {kind} | " + " | ".join(f"{100 * one / max(1, sum(numbers)):.1f} %" for one in numbers) + " |")
    ham, spam = ("ham", "hard-ham"), ("spam", "hard-spam")
    caught, harmed = total(spam, "pending", "spam"), total(ham, "pending", "spam")
    precision, recall = caught / max(1, caught + harmed), caught / total(spam, "visible", "pending", "spam")
    lines.append(f"\nprecision {precision:.3f}, recall {recall:.3f}; ham taken for spam: {total(ham, 'spam')}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true", help="list the comments that were judged wrongly")
    chosen = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    import django

    django.setup()
    from django.conf import settings

    from tests.comments.corpus import corpus

    comments = corpus()
    kinds = Counter(one.kind for one in comments)
    print(f"{len(comments)} comments: " + ", ".join(f"{number} {kind}" for kind, number in kinds.items()))
    for share in (0, 0.25, 0.5, 1):
        states, wrong = judged(comments, share)
        taught = round(len(comments) * (1 - 1 / FOLDS) * share)
        print(f"\n### {'rules alone' if not share else f'rules and classifier, taught by {taught} comments'}\n")
        print(table(states))
        if chosen.show:
            for one, times in wrong.most_common():
                print(f"  {times:3} {one.kind}: {one.author_name}: {one.body[:90]!r}")
    shutil.rmtree(settings.TEST_DIR, ignore_errors=True)


if __name__ == "__main__":
    main()
