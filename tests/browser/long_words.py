"""Names, titles and texts without a place to break at, which must make no page wider than its window."""

NAME = ("Donaudampfschifffahrtsgesellschaftskapitän" * 2)[:64]  # as long as names may be
SHOUT = "W" * 50
TITLE = ("org.springframework.aop.framework.AbstractSingletonProxyFactoryBean" * 3)[:200]
CHINESE_TITLE = ("为什么要把十年的博客从一台旧服务器搬到另一台旧服务器上并且全部重写" * 7)[:200]
TAG = "kubernetes-horizontal-pod-autoscaler-custom-metrics-and-on-it-goes"[:64]
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" * 3
ADDRESS = f"https://example.com/{DIGEST}?{DIGEST}={DIGEST}"
SUM = "S=" + "+".join(f"a_{{{number}}}" for number in range(1, 41))
COMMENT = f"{DIGEST}\n\n> {DIGEST}\n\n- `{DIGEST}`\n- {ADDRESS}\n\n[{DIGEST}]({ADDRESS}) ${SUM}$\n\n```\n{DIGEST}\n```"

BODY = f"""## {DIGEST}

Prose with {DIGEST}, **{DIGEST}**, `{DIGEST}`, ~~{DIGEST}~~, <{ADDRESS}>, [{DIGEST}]({ADDRESS}) and a note[^long].

于是 ${SUM}$ 成立。**重要的是 ${SUM}$。** A footnote with it as well[^sum].

$$
{SUM}
$$

## A formula ${SUM}$ in a heading

- ${SUM}$
- {DIGEST}
  - `{DIGEST}`
    1. ${SUM}$
    2. > {DIGEST}
       >
       > > `{DIGEST}` ${SUM}$
- [ ] {DIGEST}
- [x] ${SUM}$

> {DIGEST}
>
> - {ADDRESS}

```python title="{DIGEST}.py"
value = "{DIGEST}"
```

| 名称 | 数据库 | 说明 | 大小 | 备注 |
|---|---|---|--:|---|
| 订单服务 | 关系型数据库 | 负责处理用户下单之后的全部流程，包括支付、发货与退款 | 38 MB | 已经迁移完成 |
| 搜索服务 | 全文检索引擎 | 中文按二元切分 | 1,234,567 MB | 正在迁移之中 |
| {DIGEST} | `{DIGEST}` | {ADDRESS} | {DIGEST} | ${SUM}$ |

![{DIGEST}](/media/none.png "{DIGEST}")

<details><summary>{DIGEST}</summary>

{DIGEST} ${SUM}$

</details>

<table><tr><td>{DIGEST}</td><td>raw</td></tr></table>

<kbd>{DIGEST}</kbd> <mark>{DIGEST}</mark> <abbr title="x">{DIGEST}</abbr>

## ผมชอบอ่านหนังสือและเดินเล่นในสวนสาธารณะใกล้บ้านทุกวันหยุดสุดสัปดาห์กับเพื่อนๆและครอบครัวของผม

### 一行没有任何标点符号也没有任何空格的中文标题它会一直写下去直到超过手机屏幕的宽度为止然后还要再写一点

[^long]: {DIGEST} `{DIGEST}` {ADDRESS}
[^sum]: ${SUM}$
"""
