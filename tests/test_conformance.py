"""The rules of the conformance page: which figure passes, and when the page and a new run disagree."""

import math

import pytest


@pytest.mark.parametrize(
    ("limit", "measured", "rounded", "passes"),
    [
        ("at_most", -120.04, -120.0, True),
        ("at_most", -119.96, -119.0, False),
        ("at_most", 0.10001, 0.101, False),
        ("at_least", 1.2349, 1.23, False),
        ("at_most", 0.0, 0.0, True),
        ("at_most", -math.inf, -math.inf, True),
        ("at_most", math.nan, math.nan, False),
        ("at_least", math.nan, math.nan, False),
    ],
)
def test_a_figure_is_rounded_to_the_worse_and_then_judged(
    limit: str, measured: float, rounded: float, passes: bool
) -> None:
    from checks import check

    bound = getattr(check, limit)({-120.04: -120, -119.96: -120, 0.10001: 0.1}.get(measured, 1.234))
    assert bound.rounded(measured) == pytest.approx(rounded, nan_ok=True)
    assert bound.holds(bound.rounded(measured)) is passes


def test_pages_disagree_about_verdicts_and_claims_but_not_about_digits() -> None:
    from checks.check import Group, NotMeasuredError, at_most
    from checks.page import disagreements, verdicts, written

    def page(**values: float | None) -> dict[str, str]:
        group = Group("A", "About a | b.")
        for name, value in values.items():

            @group.check(f"|{name}|", "closed form", at_most(1, "dB"))
            def _(value: float | None = value) -> float:
                if value is None:
                    raise NotMeasuredError("no meter")
                return value

        return verdicts(written({"A": list(group.run())}, [group]))

    assert list(page(x=0.5, y=2, z=None).values()) == ["pass", "**fail**", "not measured"]
    assert disagreements(page(x=0.5, y=2), page(x=0.7, y=3)) == []
    assert disagreements(page(x=0.5), page(x=None)) == []
    assert len(disagreements(page(x=0.5), page(x=2))) == 1
    assert len(disagreements(page(x=0.5), page(y=0.5))) == 2
