"""Numbers of the text format as bits, rounded once, to nearest even."""
from fractions import Fraction


def integer(text, bits):
    text = text.replace("_", "")
    return int(text, 0 if "x" in text else 10) & ((1 << bits) - 1)


def rational(text):
    """A finite decimal or hexadecimal literal without its sign."""
    if not text.startswith("0x"):
        return Fraction(text)
    digits, _, exponent = text[2:].partition("p")
    whole, _, part = digits.partition(".")
    value = Fraction(int(whole + part or "0", 16), 16 ** len(part))
    return value * Fraction(2) ** int(exponent or 0)


def floating(text, bits):
    """The bits of a literal of f32 or f64."""
    fraction, exponent = (23, 8) if bits == 32 else (52, 11)
    infinity = ((1 << exponent) - 1) << fraction
    text = text.replace("_", "").lower()
    sign = (1 << (bits - 1)) if text[0] == "-" else 0
    text = text.lstrip("+-")
    if text == "inf":
        return sign | infinity
    if text.startswith("nan"):
        payload = int(text[4:], 16) if ":" in text else 1 << (fraction - 1)
        return sign | infinity | payload
    value = rational(text)
    if not value:
        return sign
    bias = (1 << (exponent - 1)) - 1
    scale = value.numerator.bit_length() - value.denominator.bit_length()
    if Fraction(2) ** scale > value:
        scale -= 1
    scale = max(scale, 1 - bias)  # below it: subnormal
    units = round(value / Fraction(2) ** (scale - fraction))  # ties to even
    # A carry out of the fraction moves on into the exponent by itself.
    result = units + ((scale + bias - 1) << fraction)
    return sign | min(result, infinity)
