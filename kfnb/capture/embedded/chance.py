"""How far chance alone moves a distribution: the chi-squared distribution, and the limit that is made of it."""

from __future__ import annotations


def kfnb_drift_limit(bins: int, rows: tuple[int, int], columns: int = 1, chance: float = 0.01) -> float:
    """The limit of a column's PSI: 0.2, or more where few rows pass 0.2 by chance.

    By chance the PSI of ``bins`` bins is distributed as chi-squared times ``1/n + 1/m``, where n and m are the rows.
    ``chance`` is that of any of ``columns`` columns passing it.
    """
    if bins < 2 or not min(rows):  # noqa: PLR2004 - one bin cannot drift
        return 0.2
    return max(0.2, kfnb_chi2_quantile(1 - chance / max(1, columns), bins - 1) * (1 / rows[0] + 1 / rows[1]))


def kfnb_chi2_tail(value: float, freedom: int) -> float:
    """The probability that a chi-squared variable of ``freedom`` degrees of freedom is above ``value``."""
    import math

    if freedom < 1 or value <= 0:
        return 1.0
    half, x = freedom / 2, value / 2
    scale = math.exp(half * math.log(x) - x - math.lgamma(half))
    if x < half + 1:  # the series of the lower part
        term = total = 1 / half
        step = half
        while abs(term) > abs(total) * 1e-16:
            step += 1
            term *= x / step
            total += term
        return max(0.0, 1 - total * scale)
    tiny = 1e-300  # Lentz's continued fraction of the upper part
    low = x + 1 - half
    c, d = 1 / tiny, 1 / low
    fraction = d
    for step in range(1, 10_000):
        factor = -step * (step - half)
        low += 2
        d = factor * d + low
        c = low + factor / c
        d = 1 / (d if abs(d) > tiny else tiny)
        c = c if abs(c) > tiny else tiny
        fraction *= d * c
        if abs(d * c - 1) < 1e-15:  # noqa: PLR2004 - as exact as floats are
            break
    return scale * fraction


def kfnb_chi2_quantile(share: float, freedom: int) -> float:
    """The value below which a chi-squared variable of ``freedom`` degrees of freedom is with probability ``share``."""
    import math
    from statistics import NormalDist

    spread = 2 / (9 * freedom)
    value = freedom * max(0.01, 1 - spread + NormalDist().inv_cdf(share) * math.sqrt(spread)) ** 3
    half = freedom / 2
    for _ in range(100):  # Newton's method, from Wilson's and Hilferty's approximation
        density = math.exp((half - 1) * math.log(value / 2) - value / 2 - math.lgamma(half)) / 2
        step = (kfnb_chi2_tail(value, freedom) - (1 - share)) / max(density, 1e-300)
        value = max(value / 2, value + step)
        if abs(step) < value * 1e-12:
            break
    return value
