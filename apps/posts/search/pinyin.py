"""How Chinese titles are typed without an input method: shujuku and sjk for 数据库.

Words of the index, for titles (p) and tags (q): `sshu` a syllable, `dshu.ju` two neighbours, `isj` and `isjk` the
initials of two and three neighbours. Reading a title takes pypinyin, 60 MB with its dictionary of phrases, which
tells 银行 (yinhang) from 行走 (xingzou): it is loaded when a process indexes its first Chinese title, and never by one
that only answers searches. A phrase the dictionary lacks (调优) is read by its characters, so the other readings of a
character count as well, three at most.
"""

import re
from functools import cache, lru_cache
from itertools import pairwise, product
from typing import Any

MAX_LETTERS = 40
MAX_SEGMENTATIONS = 8
MAX_READINGS = 3

_HAN = re.compile("[\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]+")
SYLLABLES = frozenset(
    "a ai an ang ao ba bai ban bang bao bei ben beng bi bian biao bie bin bing bo bu ca cai can cang cao ce cen ceng"
    " cha chai chan chang chao che chen cheng chi chong chou chu chua chuai chuan chuang chui chun chuo ci cong cou cu"
    " cuan cui cun cuo da dai dan dang dao de dei den deng di dia dian diao die ding diu dong dou du duan dui dun duo e"
    " ei en eng er fa fan fang fei fen feng fiao fo fou fu ga gai gan gang gao ge gei gen geng gong gou gu gua guai"
    " guan guang gui gun guo ha hai han hang hao he hei hen heng hong hou hu hua huai huan huang hui hun huo ji jia"
    " jian jiang jiao jie jin jing jiong jiu ju juan jue jun ka kai kan kang kao ke kei ken keng kong kou ku kua kuai"
    " kuan kuang kui kun kuo la lai lan lang lao le lei len leng li lia lian liang liao lie lin ling liu lo long lou lu"
    " luan lun luo lv lve ma mai man mang mao me mei men meng mi mian miao mie min ming miu mo mou mu na nai nan nang"
    " nao ne nei nen neng ni nia nian niang niao nie nin ning niu nong nou nu nuan nun nuo nv nve o ou pa pai pan pang"
    " pao pei pen peng pi pian piao pie pin ping po pou pu qi qia qian qiang qiao qie qin qing qiong qiu qu quan que"
    " qun ran rang rao re ren reng ri rong rou ru rua ruan rui run ruo sa sai san sang sao se sen seng sha shai shan"
    " shang shao she shei shen sheng shi shou shu shua shuai shuan shuang shui shun shuo si song sou su suan sui sun"
    " suo ta tai tan tang tao te tei teng ti tian tiao tie ting tong tou tu tuan tui tun tuo wa wai wan wang wei wen"
    " weng wo wu xi xia xian xiang xiao xie xin xing xiong xiu xu xuan xue xun ya yan yang yao ye yi yin ying yo yong"
    " you yu yuan yue yun za zai zan zang zao ze zei zen zeng zha zhai zhan zhang zhao zhe zhei zhen zheng zhi zhong"
    " zhou zhu zhua zhuai zhuan zhuang zhui zhun zhuo zi zong zou zu zuan zui zun zuo".split()
)


@cache
def _beginnings() -> frozenset[str]:
    return frozenset(syllable[:end] for syllable in SYLLABLES for end in range(1, len(syllable) + 1))


def syllables(text: str) -> str:
    """The readings of each Chinese character of the folded text, runs set apart: `shu/shuo ju ku|diao/tiao you`.

    The likeliest stands first; a character without a reading is a question mark.
    """
    runs = _HAN.findall(text)
    if not runs:
        return ""
    from pypinyin import Style, lazy_pinyin

    read = []
    for run in runs:
        likeliest = lazy_pinyin(run, style=Style.NORMAL, errors=_unread)
        said = [_readings(character, first) for character, first in zip(run, likeliest, strict=True)]
        read.append(" ".join(said))
    return "|".join(read)


def _unread(characters: str) -> Any:  # pypinyin's own types know of one string only
    return ["?"] * len(characters)


@lru_cache(maxsize=4096)
def _readings(character: str, likeliest: str) -> str:
    from pypinyin import Style, pinyin

    every = pinyin(character, style=Style.NORMAL, heteronym=True, errors=_unread)
    known = [one for one in dict.fromkeys([likeliest, *every[0]]) if one in SYLLABLES]
    return "/".join(known[:MAX_READINGS]) or "?"


def words(read: str) -> set[str]:
    """The words of what `syllables` returned."""
    found: set[str] = set()
    for run in read.split("|"):
        parts = [part.split("/") for part in run.split()]
        initials = [sorted({one[0] for one in part}) for part in parts]
        found.update(f"s{one}" for part in parts for one in part)
        found.update(f"d{one}.{two}" for neighbours in pairwise(parts) for one, two in product(*neighbours))
        for length in (2, 3):
            for start in range(len(initials) - length + 1):
                found.update("i" + "".join(letters) for letters in product(*initials[start : start + length]))
    return {word for word in found if "?" not in word}


def is_typed(word: str) -> bool:
    """Whether the folded word can be pinyin at all."""
    return 2 <= len(word) <= MAX_LETTERS and word.isascii() and word.isalpha()


@lru_cache(maxsize=256)
def segmentations(letters: str, *, unfinished: bool = False) -> tuple[tuple[str, ...], ...]:
    """The ways to read the letters as syllables (xian: xian, xi an); `unfinished` lets the last be only begun.

    The u of lu and nu may be meant as ü, which is lv and nv here.
    """
    ways: list[list[tuple[str, ...]]] = [[] for _ in range(len(letters) + 1)]
    ways[0].append(())
    for start in range(len(letters)):
        for end in range(start + 1, min(start + 6, len(letters)) + 1):
            piece = letters[start:end]
            known = _beginnings() if unfinished and end == len(letters) else SYLLABLES
            for said in dict.fromkeys([piece, piece.replace("u", "v")]):
                if said in known:
                    room = MAX_SEGMENTATIONS - len(ways[end])
                    ways[end] += [(*way, said) for way in ways[start][:room]]
    return tuple(sorted(ways[-1], key=len))


def needed(way: tuple[str, ...]) -> tuple[str, ...]:
    """The words a title holds when it reads this way."""
    if len(way) == 1:
        return (f"s{way[0]}",)
    return tuple(f"d{one}.{two}" for one, two in pairwise(way))


def needed_initials(letters: str) -> tuple[str, ...]:
    if len(letters) < 3:
        return (f"i{letters}",)
    return tuple(f"i{letters[index : index + 3]}" for index in range(len(letters) - 2))


def spans(text: str, read: str, letters: str) -> list[tuple[int, int]]:
    """Where in the folded text the letters are the reading or the initials of its characters."""
    found = []
    for run, said in zip(_HAN.finditer(text), read.split("|"), strict=False):
        parts = [part.split("/") for part in said.split()]
        if len(parts) != len(run[0]):
            continue
        for start in range(len(parts)):
            for length in (_sounding(parts[start:], letters), _initials(parts[start:], letters)):
                if length:
                    found.append((run.start() + start, run.start() + start + length))
    return found


def _sounding(parts: list[list[str]], letters: str) -> int:
    """How many of the first characters the letters are the reading of, 0 when of none."""
    left = {letters}
    for count, part in enumerate(parts, start=1):
        written = {spelling for one in part for spelling in (one, one.replace("v", "u"))}
        left = {rest.removeprefix(one) for rest in left for one in written if rest.startswith(one)}
        if "" in left or not left:
            return count if left else 0
    return 0


def _initials(parts: list[list[str]], letters: str) -> int:
    fits = len(parts) >= len(letters)
    fits = fits and all(any(one[0] == letter for one in part) for part, letter in zip(parts, letters, strict=False))
    return len(letters) if fits else 0
