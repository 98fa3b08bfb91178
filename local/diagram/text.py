"""How wide a text is, and what is left of it in less room."""

# The advance of a character of the common monospaced fonts, in ems; none of those named in the style is wider.
ADVANCE = 0.61
_CUT = "…"


def width_of(text: str, size: float) -> float:
    """Pixels that ``text`` takes in a monospaced font of ``size`` pixels."""
    return len(text) * size * ADVANCE


def fitted(text: str, size: float, width: float) -> str:
    """``text``, cut in its middle if it is wider than ``width`` pixels: what tells names apart is often at their end."""
    if width_of(text, size) <= width:
        return text
    kept = max(int(width / (size * ADVANCE)) - len(_CUT), 0)
    return text[: kept - kept // 2] + _CUT + text[len(text) - kept // 2 :]
