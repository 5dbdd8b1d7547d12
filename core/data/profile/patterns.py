"""Text that a data set should seldom hold: addresses, keys, broken encodings, refusals. Every pattern is linear in the text."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

_CONTROL_BYTES = bytes(code for code in (*range(9), 11, 12, *range(14, 32), 127))
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line ends, and what turns the direction of writing round."""

_EMAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}")
_PHONE = re.compile(
    r"(?<![\w.+/-])(?:"
    r"\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,5}"  # international
    r"|\(\d{3}\) ?\d{3}[ .-]\d{4}|\d{3}[.-]\d{3}[.-]\d{4}"  # North America
    r"|0\d{2,4}[ /-]\d{3,4}[ -]?\d{3,4}"  # with a trunk prefix, as in Europe
    r"|1[3-9]\d[ -]?\d{4}[ -]?\d{4}"  # Chinese mobile
    r")(?![\w-])"
)
_PHONE_DIGITS = range(8, 16)

SECRETS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (kind, hint, re.compile(pattern))
    for kind, hint, pattern in (
        ("AWS access key", "A", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
        ("GitHub token", "gh", r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b"),
        ("GitHub token", "github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{22,255}\b"),
        ("GitLab token", "glpat-", r"\bglpat-[A-Za-z0-9_-]{20,255}"),
        ("Hugging Face token", "hf_", r"\bhf_[A-Za-z0-9]{30,255}\b"),
        ("OpenAI or Anthropic key", "sk-", r"\bsk-(?:proj-|ant-|svcacct-)?[A-Za-z0-9_-]{20,255}"),
        ("Stripe key", "k_live_", r"\b[sr]k_live_[A-Za-z0-9]{16,255}\b"),
        ("Google API key", "AIza", r"\bAIza[0-9A-Za-z_-]{35}"),
        ("Slack token", "xox", r"\bxox[abprs]-[A-Za-z0-9-]{10,255}"),
        ("npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
        ("private key", "PRIVATE KEY", r"-----BEGIN (?:[A-Z]{2,10} )?PRIVATE KEY-----[A-Za-z0-9+/=\s]{0,8192}"),
        ("JSON web token", "eyJ", r"\beyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,1024}"),
        ("password in an address", "://", r"\b[a-z][a-z0-9+]{1,15}://[^\s:@/]{1,64}:[^\s:@/]{3,128}@"),
    )
)
"""Kind, a piece that must stand in the text, and the shape: as their issuers publish them."""
_ASSIGNED = re.compile(
    r"(?i)\b(?:api[_-]?key|secret[_-]?key|access[_-]?token|auth[_-]?token|client[_-]?secret|password|passwd)\b"
    r"[\"']?\s{0,3}[:=]\s{0,3}[\"']?([A-Za-z0-9+/_!@#$%^&*.-]{12,256})"
)
_ASSIGNED_HINTS = (
    "key",
    "token",
    "secret",
    "passw",
    "KEY",
    "TOKEN",
    "SECRET",
    "PASSW",
    "Key",
    "Token",
    "Secret",
    "Passw",
)
_LEAST_BITS = 3.2
"""Entropy a character, in bits, from which an assigned value looks drawn by chance: words lie below, keys above."""

_CONTINUATION = "\x80-\xbf" + bytes(set(range(0x80, 0xA0)) - {0x81, 0x8D, 0x8F, 0x90, 0x9D}).decode("cp1252")
_MOJIBAKE = re.compile(
    f"[\u00c2\u00c3](?!\u00bb)[{_CONTINUATION}]|[\u00e0-\u00ef][{_CONTINUATION}]{{2}}|[\u00f0-\u00f4][{_CONTINUATION}]{{3}}"
    f"|(?:[\u00d0\u00d1][{_CONTINUATION}]){{2}}"
)
"""UTF-8 read as Windows-1252 or Latin-1."""
REPEATED_TIMES = 40
_REPEATED_LETTER = re.compile(rf"(\w)\1{{{REPEATED_TIMES - 1}}}")

REFUSALS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = tuple(
    (hints, re.compile(pattern.replace("'", "['\u2019]")))
    for hints, pattern in (
        (("as an ai",), r"\bas an ai\b"),
        (("language model",), r"\bas a(?: large)? language model\b"),
        (("an ai", "a ai", "language model"), r"\bi(?:'m| am) (?:just )?an? (?:ai|language model)\b"),
        (("sorry",), r"\bi(?:'m| am)(?: very| so)? sorry,? (?:but )?i (?:can't|cannot|can not|am unable|won't)"),
        (("i can", "i am", "i won"), r"\bi (?:can't|cannot|can not|am unable to|am not able to|won't)"
                                     " (?:assist|help|fulfil|fulfill|provide|comply|answer)"),
        (("able to",), r"\bi(?:'m| am) (?:unable|not able) to (?:assist|help|fulfil|fulfill|provide|comply|answer)"),
        (("作为",), "作为一?个?(?:ai|人工智能|语言模型|大语言模型)"),
        (("作為",), "作為一?個?(?:ai|人工智慧|語言模型)"),
        (("抱歉", "对不起", "很遗憾", "對不起"), "(?:抱歉|对不起|很遗憾|對不起).{0,6}(?:我)?(?:无法|不能|沒辦法|無法)"),
        (("我无法", "我無法"), "我(?:无法|無法)(?:提供|回答|满足|协助|帮助|滿足|協助|幫助)"),
        (("als ki",), r"\bals ki\b"),
        (("sprachmodell",), r"\bals (?:ein )?sprachmodell\b"),
        (("es tut mir leid",), r"\bes tut mir leid,? aber ich kann"),
        (("en tant qu",), r"\ben tant qu'ia\b|\ben tant que mod[èe]le de langage\b"),
        (("je suis d",), r"\bje suis d[ée]sol[ée]e?,? mais je ne (?:peux|suis)"),
        (("como ",), r"\bcomo (?:una )?ia\b|\bcomo (?:un )?modelo de lenguaje\b|\bcomo (?:um )?modelo de linguagem\b"),
        (("lo siento",), r"\blo siento,? pero no puedo"),
        (("desculpe",), r"\bdesculpe,? mas (?:eu )?não posso"),
        (("申し訳",), "申し訳(?:ありません|ございません).{0,12}(?:できません|お答え|お手伝い)"),
        (("죄송",), "죄송(?:합니다|하지만).{0,12}(?:수 없|어렵)"),
        (("как ",), r"\bкак (?:ии|языковая модель)\b"),
        (("извините",), r"\bизвините,? но я не могу"),
    )
)  # fmt: skip
"""Pieces of which one must stand in the text, and the phrase: most texts have none of them, and looking for a piece is quick."""
_REFUSAL_HEAD = 300


def is_refusal(answer: str) -> bool:
    """Whether an answer begins as a refusal does: stock phrases of ten languages in its first 300 characters."""
    head = answer[:_REFUSAL_HEAD].casefold()
    return any(phrase.search(head) for hints, phrase in REFUSALS if any(hint in head for hint in hints))


def control_character(text: str) -> str | None:
    """Return the first control character as ``U+0007``; None without one."""
    if text.isascii():
        raw = text.encode()
        if len(raw.translate(None, _CONTROL_BYTES)) == len(raw):
            return None
    found = _CONTROL.search(text)
    return f"U+{ord(found.group()):04X}" if found else None


def mojibake(text: str) -> str | None:
    """Return the first piece that looks like UTF-8 read in another encoding, or the replacement character; None without."""
    if text.isascii():
        return None
    if "\ufffd" in text:
        return "\ufffd"
    if b"\xc3" not in text.encode("utf-8", "replace"):  # with which every letter begins that a broken piece begins with
        return None
    return next((match.group() for match in _MOJIBAKE.finditer(text) if _decodes(match.group())), None)


def _decodes(piece: str) -> bool:
    for encoding in ("cp1252", "latin-1"):
        try:
            piece.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        return True
    return False


def repeated_letter(text: str) -> bool:
    """Whether one letter or digit stands 40 times and more in a row."""
    return _REPEATED_LETTER.search(text) is not None


def email_addresses(text: str) -> Iterator[str]:
    """Yield the e-mail addresses of a text."""
    if "@" in text:
        yield from (match.group() for match in _EMAIL.finditer(text))


def phone_numbers(text: str) -> Iterator[str]:
    """Yield what is written as telephone numbers are."""
    raw = text.encode("utf-8", "replace")
    if len(raw) - len(raw.translate(None, b"0123456789")) < _PHONE_DIGITS.start:
        return
    for match in _PHONE.finditer(text):
        if sum(letter.isdigit() for letter in match.group()) in _PHONE_DIGITS:
            yield match.group()


def secrets(text: str) -> Iterator[tuple[str, str]]:
    """Yield what looks like a key or a password: its kind, and the text of it."""
    for kind, hint, pattern in SECRETS:
        if hint in text:
            yield from ((kind, match.group()) for match in pattern.finditer(text))
    if (":" in text or "=" in text) and any(hint in text for hint in _ASSIGNED_HINTS):
        for match in _ASSIGNED.finditer(text):
            value = match.group(1)
            if entropy(value) >= _LEAST_BITS and any(letter.isdigit() for letter in value):
                yield "password or key", value


def entropy(text: str) -> float:
    """Return the entropy of a text's characters in bits a character (Shannon, 1948); 0 for an empty one."""
    n = len(text)
    return -sum(count / n * math.log2(count / n) for count in Counter(text).values())


def without_secrets(text: str) -> str:
    """Return a text in which what looks like a key or a password is masked."""
    for _, secret in sorted(secrets(text), key=lambda found: -len(found[1])):
        text = text.replace(secret, masked(secret))
    return text


def masked(secret: str) -> str:
    """Return a secret as it may be shown: its first characters, at most four and a quarter of it, and its length."""
    return f"{secret[: min(4, len(secret) // 4)]}\u2026 ({len(secret)} characters)"
