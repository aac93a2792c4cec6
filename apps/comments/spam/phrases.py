"""Phrases of those who advertise and hardly of those who reply; a start until the classifier has learned.

Unmistakable ones and a number to call are worth 3 points, enough to hold a comment; an invitation to get in touch is
worth 2, an ordinary word that spam likes 1.
"""

import re

from apps.posts.search.tokens import fold

MOST_POINTS = 5  # by phrases alone a comment is held, never taken for spam

_UNMISTAKABLE = r"""
代开.{0,6}发票|发票.{0,4}代开|(?:增值税|普通|住宿|餐饮)发票.{0,12}(?:联系|代|开)|办(?:理)?(?:各类|各种)?(?:假)?证(?:件|书)?.{0,6}(?:刻章|联系|微信|qq)
澳门.{0,4}(?:赌场|葡京|金沙|银河|威尼斯)|(?:新)?葡京.{0,6}(?:娱乐|注册|官网)|真人.{0,3}(?:荷官|百家乐|娱乐)|百家乐|(?:娱乐城|博彩|彩票)(?:平台|网站|官网|注册|开户|代理)
时时彩|六合彩|北京赛车|幸运飞艇|首(?:存|充)(?:即)?送|注册(?:就|即)?送.{0,6}(?:彩金|元|体验金)|彩金
刷单|刷(?:信誉|好评|粉)|日(?:入|赚|结)\s*\d{3,}|月入\s*\d?万|(?:轻松|在家)(?:就能)?(?:日|月)?赚(?:钱)?|(?:手机|打字|宝妈|学生)兼职|网(?:络)?兼职.{0,10}(?:加|联系)
无抵押.{0,4}贷|信用卡(?:套现|代还|提额)|(?:秒|快速)(?:批|下|到)(?:款|账).{0,20}|(?:黑户|征信).{0,10}(?:贷|下款|修复)
一夜情|约炮|同城(?:交友|约|上门)|(?:美女|学生妹|小姐).{0,6}上门|成人(?:视频|网站|用品|电影)|裸聊|壮阳|延时喷剂|伟哥|私密.{0,4}(?:紧致|保养)
(?:高仿|复刻|a货|精仿).{0,10}(?:手表|名表|包包|鞋|奢侈品|腕表)|(?:莆田鞋|原单|外贸尾单).{0,10}(?:批发|货源|厂家)
(?:快速|保证)?(?:网站|seo|百度|关键词)(?:快速)?排名.{0,6}(?:优化|首页|服务|联系|提升)|(?:高质量|高权重)?外链.{0,6}(?:代发|出售|购买|服务|套餐)|友链.{0,4}(?:出售|购买)|代写.{0,4}(?:论文|文案|作业)|论文.{0,4}(?:代写|代发|降重)
(?:稳赚|包赚|保本).{0,6}(?:不赔|高收益|理财)|(?:荐股|牛股|内幕消息|涨停).{0,10}(?:群|老师|加|免费)|带(?:单|你).{0,6}(?:赚|盈利)|(?:资金盘|杀猪盘)|(?:usdt|泰达币).{0,6}(?:跑分|承兑|代收)
(?:翻墙|机场|梯子|vpn).{0,8}(?:套餐|推荐注册|优惠码|低至|月付|年付)|(?:公众号|抖音|快手|b站).{0,4}(?:涨粉|刷赞|买粉)
\b(?:online|live|crypto)\s+casinos?\b|\bcasino\s+bonus|\bfree\s+spins?\b|\bslots?\s+(?:online|gacor)\b|\bsports?\s*book\b|\bbetting\s+(?:tips|site)|\bjudi\s+(?:online|bola)\b|\bpoker\s+online\b
\b(?:buy|order|cheap|generic)\s+(?:\w+\s+){0,2}(?:viagra|cialis|xanax|tramadol|phentermine|ambien|ozempic|modafinil|pills)\b|\b(?:viagra|cialis|levitra)\b|\bpenis\b|\bmale\s+enhancement|\bweight\s+loss\s+(?:pills?|supplements?|gumm)|\b(?:keto|cbd)\s+gumm
\bpayday\s+loans?|\b(?:instant|guaranteed|bad\s+credit|urgent)\s+(?:\w+\s+)?loans?\b|\bloan\s+offer|\b(?:fix|repair)\s+your\s+credit|\bcredit\s+repair
\b(?:seo|backlinks?|guest\s+post(?:ing|s)?)\s+(?:services?|packages?|agency|experts?)|\b(?:buy|sell|high\s+quality|quality|da\s*\d+\+?)\s+(?:\w+\s+)?(?:backlinks?|guest\s+posts?)|\brank(?:ing)?\s+(?:your\s+)?(?:website|site|page)?\s*(?:#?1|first|top|higher)\s*(?:on|in)\s+google|\bfirst\s+page\s+of\s+google|\bincrease\s+(?:your\s+)?(?:organic\s+)?(?:website\s+)?traffic
\b(?:earn|make|making)\s+(?:up\s+to\s+|over\s+)?\$\s?\d[\d,.]*\s*(?:k\b)?(?:\s*(?:per|a|every|/)\s*(?:day|week|month|hour))?|\bwork\s+from\s+home\b.{0,60}\$|\bfinancial\s+freedom\b|\bpassive\s+income\b.{0,80}(?:join|sign|click|telegram|whatsapp)
\b(?:forex|binary\s+options?|crypto|bitcoin)\s+(?:trading\s+)?(?:signals?|investments?\s+(?:plat|compan|plan)|recovery|mining\s+(?:plat|compan|plan)|giveaway|expert)|\brecover(?:ed)?\s+(?:my|your)\s+(?:lost|stolen)\s+(?:\w+\s+)?(?:funds?|bitcoins?|crypto|money|btc|wallet)|\b(?:ethical|professional)\s+hackers?\b.{0,80}(?:contact|hire|whatsapp|gmail)|\bhire\s+a\s+hacker
\bspell\s*(?:caster|s\s+that\s+work)|\bget\s+your\s+ex\s+back|\blove\s+spell
\b(?:replica|fake|cheap)\s+(?:\w+\s+)?(?:watches|rolex|handbags?|jerseys|jordans|sneakers|oakleys?|louis\s+vuitton|ray[\s-]?bans?)|\b(?:write|do)\s+my\s+(?:essay|homework|assignment|paper)|\bessay\s+writing\s+service|\b(?:diploma|degree|passport|driver'?s?\s+licen[cs]e)s?\b.{0,40}(?:for\s+sale|buy|without\s+exam)
\b(?:buy|get)\s+(?:\w+\s+)?(?:instagram|youtube|tiktok|twitter|telegram|facebook)\s+(?:followers|likes|subscribers|views|members)|\b(?:escorts?|call\s*girls?)\s+(?:in|service|agency)|\b(?:hot|sexy|single)\s+(?:\w+\s+)?(?:girls|women|ladies)\s+(?:near|in\s+your|waiting|online)|\bporn|\bxxx\b|\bonlyfans\b
"""
_CONTACT = (
    r"(?:微信|薇信|威信|v\s?信|\bvx|\bwx|qq|扣扣|q群|电报|飞机|频道|加[vq])\s*(?:号|群)?\s*[:：@]?\s*[a-z0-9_-]{5,}"
    r"|\b(?:whatsapp|telegram|wechat|skype|viber|tg)\b.{0,20}(?:\+?\d[\d\s()-]{7,}|@\w{4,})|\bt\.me/|\bwa\.me/"
)
_INVITATION = (
    r"(?:加|联系|咨询|预约)\s*(?:我|客服|老师|大师)*\s*的?\s*"
    r"(?:微信|薇信|威信|v信|vx|wx|qq|扣扣|飞机|电报|好友)|进群|私聊"
)
_ORDINARY = (
    r"赌|贷款|兼职|彩票|套现|发票|加盟|招代理|优惠码|返利|红包|秒到|稳定盈利|包过|点击(?:领取|进入|链接|头像)|(?:免费|限时)领取|低价|厂家直销|客服"
    r"|\bcasinos?\b|\bbetting\b|\bloans?\b|\binsurance quotes?\b|\bdiscounts?\b|\bcoupons?\b|\bpromo codes?\b"
    r"|\bclick here\b|\bvisit (?:my|our) (?:web)?(?:site|page|blog|store|shop)\b"
    r"|\bcheck (?:out )?(?:my|our) (?:web)?(?:site|page|blog|channel)\b"
    r"|\bcheapest\b|\blimited (?:time )?offer\b|\b100% (?:free|guaranteed|legit)\b|\bno credit check\b|\bwhatsapp\b"
    r"|\binvestors?\b|\bseo\b|\bbacklinks?\b|\bfollow my\b|\bmy (?:web)?site\b|\bforex\b|\bfree trial\b|\bbest price"
    r"|\b[\w-]+\.(?:vip|top|xyz|icu|bet|casino|loan|club|win|cc|shop)\b"
)
_STRONG = re.compile("|".join(f"(?:{line})" for line in _UNMISTAKABLE.split("\n") if line))
_CONTACTS = re.compile(_CONTACT)
_INVITATIONS = re.compile(_INVITATION)
_WEAK = re.compile(_ORDINARY)


def found_in(text: str) -> tuple[float, list[str]]:
    """Return the points for what the text advertises (5 at most) and the phrases that gave them."""
    folded = fold(text)
    strong = [*_different(_STRONG, folded), *_different(_CONTACTS, folded)[:1]]
    inviting = _different(_INVITATIONS, folded)[:1]
    weak = _different(_WEAK, folded)[:3]
    points = 3 * len(strong) + 2 * len(inviting) + len(weak)
    return min(MOST_POINTS, points), list(dict.fromkeys([*strong, *inviting, *weak]))


def _different(pattern: re.Pattern[str], text: str) -> list[str]:
    return list(dict.fromkeys(match[0].strip()[:40] for match in pattern.finditer(text)))
