"""The owner's accent colour, made readable on light and on dark paper."""

import colorsys

MIN_CONTRAST = 4.5  # WCAG 2.2, success criterion 1.4.3
PAPER_LIGHT, PAPER_DARK = "#ffffff", "#1c2024"
INK_LIGHT, INK_DARK = "#ffffff", "#10151b"

Channels = tuple[float, float, float]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two `#rrggbb` colours, 1 to 21 (formula: WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable_on(colour: str, paper: str) -> str:
    """Return the colour, darkened on light paper or lightened on dark until its contrast is MIN_CONTRAST."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(colour))
    step = -0.01 if _luminance(paper) > 0.5 else 0.01
    for _step in range(100):
        if contrast(colour, paper) >= MIN_CONTRAST:
            break
        lightness = min(1.0, max(0.0, lightness + step))
        colour = _hex(colorsys.hls_to_rgb(hue, lightness, saturation))
    return colour


def ink_on(colour: str) -> str:
    """Return the ink, light or dark, that is better read on the colour."""
    return max((INK_LIGHT, INK_DARK), key=lambda ink: contrast(ink, colour))


def _channels(colour: str) -> Channels:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


def _hex(channels: Channels) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
