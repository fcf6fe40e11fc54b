"""Printed summaries of models, read: what they say was estimated, and every number with what it is.

statsmodels' `summary()` as text, LaTeX, CSV or HTML, its `summary2()`, and R's `summary(lm(…))` and
`summary(glm(…))`. A line that is not wholly understood is none of the summary: it stays with the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from hub.checks.fixed_widths import under

# How each label of a head or foot is called here: words, and the numbers of hub.checks.estimation.
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "dep. variable": "outcome", "dependent variable": "outcome", "model": "model", "method": "method",
        "date": "date", "time": "time", "covariance type": "covariance", "converged": "converged",
        "model family": "family", "link function": "link", "no. iterations": "iterations",
    }
)  # fmt: skip
_NUMBERS: Mapping[str, str] = MappingProxyType(
    {
        "no. observations": "observations", "df residuals": "degrees", "df model": "model_degrees",
        "r-squared": "r_squared", "adj. r-squared": "adjusted", "r-squared (uncentered)": "r_squared",
        "adj. r-squared (uncentered)": "adjusted", "f-statistic": "f", "prob (f-statistic)": "p_of_f",
        "log-likelihood": "likelihood", "aic": "aic", "bic": "bic", "pseudo r-squ.": "pseudo_r_squared",
        "pseudo r-squared": "pseudo_r_squared", "ll-null": "null_likelihood",
        "llr p-value": "p_of_likelihoods", "pseudo r-squ. (cs)": "cox_snell", "deviance": "deviance",
        "pearson chi2": "pearson", "scale": "scale", "omnibus": "omnibus", "prob(omnibus)": "p_of_omnibus",
        "skew": "skew", "kurtosis": "kurtosis", "durbin-watson": "durbin_watson",
        "jarque-bera (jb)": "jarque_bera", "prob(jb)": "p_of_jarque_bera", "cond. no.": "condition",
        "condition no.": "condition",
    }
)  # fmt: skip
PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d*)?(?:e[-+]\d{1,3})?")  # as programs print one
_TITLES = re.compile(
    r"(?:OLS|Logit|Probit|Poisson|Generalized Linear Model) Regression Results"
    r"|Results: (?:Ordinary least squares|Logit|Probit|Poisson)"
)
_HEAD = re.compile(
    r"coef\.?\s+std\.? ?err\.?\s+([tz])\s+P> ?\|[tz]\|\s+\[(0\.\d+)\s+(0\.\d+)\]", re.IGNORECASE
)
_HEAD_OF_R = re.compile(r"Estimate\s+Std\. Error\s+([tz]) value\s+Pr\(>\|[tz]\|\)")
NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?"
_NOTE = re.compile(
    r"(?:\[\d\] )?(?:Standard Errors (?:"
    r"assume that the covariance matrix of the errors(?: is correctly(?: specified\.)?)?"
    r"|are heteroscedasticity robust \(HC[0-3]\)"
    r"|are robust to cluster correlation \((?:CRV1|cluster)\))"
    r"|strong multicollinearity or other numerical problems\."
    r"|perfectly predicted\. This might indicate that there is complete"
    r"|quasi-separation\. In this case some parameters will not be identified\."
    r"|R² is computed without centering \(uncentered\) since the model does not contain a constant\.)"
)
_CONDITION = re.compile(
    rf"(?:\[\d\] )?The condition number is large, {{1,6}}({NUMBER})\. This might indicate that there are"
)
_SEPARATED = re.compile(
    r"Possibly complete quasi-separation: A fraction (0\.\d\d|1\.00) of observations can be"
)
_LEGEND = re.compile(r"Signif\. codes:\s+0 ‘\*\*\*’ 0\.001 ‘\*\*’ 0\.01 ‘\*’ 0\.05 ‘\.’ 0\.1 ‘ ’ 1")
# The lines below the coefficients of R: a pattern, and what its groups are.
_FEET_OF_R: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern.replace("NUMBER", NUMBER)), roles)
    for pattern, roles in (
        (r"Residual standard error: (NUMBER) on (\d+) degrees of freedom", ("residual_error", "degrees")),
        (r"\((\d+) observations? deleted due to missingness\)", ("deleted",)),
        (r"Multiple R-squared:\s+(NUMBER),\s+Adjusted R-squared:\s+(NUMBER)", ("r_squared", "adjusted")),
        (r"F-statistic:\s+(NUMBER) on (\d+) and (\d+) DF,\s+p-value: (<? ?NUMBER)",
         ("f", "model_degrees", "degrees", "p_of_f")),
        (r"Null deviance:\s+(NUMBER)\s+on\s+(\d+)\s+degrees of freedom", ("null_deviance", "null_degrees")),
        (r"Residual deviance:\s+(NUMBER)\s+on\s+(\d+)\s+degrees of freedom", ("deviance", "degrees")),
        (r"AIC: (NUMBER)", ("aic",)),
        (r"Degrees of Freedom: (\d+) Total \(i\.e\. Null\);\s+(\d+) Residual", ("null_degrees", "degrees")),
        (r"Null Deviance:\s+(NUMBER)", ("null_deviance",)),
        (r"Residual Deviance:\s+(NUMBER)\s+AIC:\s+(NUMBER)", ("deviance", "aic")),
        (r"\(Dispersion parameter for (?:binomial|poisson) family taken to be (1)\)", ("scale",)),
        (r"Number of Fisher Scoring iterations: (\d+)", ("iterations",)),
    )
)  # fmt: skip
RESIDUALS: Mapping[str, str] = MappingProxyType(
    {"Min": "residual_0", "1Q": "residual_25", "Median": "residual_50", "3Q": "residual_75",
     "Max": "residual_100"}
)  # fmt: skip
_CALL = re.compile(
    r"(?P<model>lm|glm)\(formula = (?P<outcome>[^~]+?) ~ (?P<terms>.+?)"
    r"(?:, family = (?P<family>binomial|poisson)(?:\(link = \"?(?P<link>logit|probit|log)\"?\)|\(\))?)?"
    r", data = [A-Za-z_.][\w.]*\)"
)
_MOST_LINES = 5_000
_LONGEST = 400  # characters of a line


@dataclass(frozen=True)
class Number:
    """One printed number: on which line, what it is, and under which label."""

    line: int
    role: str
    label: str
    text: str


@dataclass(frozen=True)
class Coefficient:
    """One line of coefficients: its name, and role → number as printed."""

    line: int
    term: str
    cells: Mapping[str, str]


@dataclass
class Summary:
    """`words`: what the head says (outcome, model, covariance, …) with its line. `tail`: what lies beyond
    either end of the intervals. `lines`: all lines understood, by number."""

    words: dict[str, tuple[int, str]] = field(default_factory=dict)
    numbers: list[Number] = field(default_factory=list)
    coefficients: list[Coefficient] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)
    tail: float = 0.025
    normal: bool | None = None
    of_r: bool = False

    def word(self, role: str) -> str | None:
        """What the head says of `role`."""
        return self.words[role][1] if role in self.words else None

    def number(self, role: str) -> str | None:
        """The first number of this role, as printed."""
        return next((one.text for one in self.numbers if one.role == role), None)


def plain_line(line: str) -> str:
    """A line of LaTeX or of a delimited summary as one of text: cells apart by three blanks."""
    text = line.strip()
    if re.search(r"(?<!\\)&", text):
        text = re.sub(r"\\\\(?:\[[^\]]*\])?\s*$", "", text)
        text = re.sub(r"\\textbf\{([^{}]*)\}", r"\1", text).replace("$", "")
        text = re.sub(r"\\([_%&#{}])", r"\1", text.replace(r"\textasciicircum{}", "^"))
        return "   ".join(cell.strip() for cell in re.split(r"(?<!\\)&", text)).rstrip()
    return re.sub(r"\\newline$", "", line.rstrip()).rstrip()  # names stand above their numbers


def row_line(cells: Sequence[str]) -> str:
    """A row of a table as a line of text; a date that a comma cut in two is made whole."""
    whole = re.sub(r"\b((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun))   (\d\d \w{3} \d{4})", r"\1, \2", "   ".join(cells))
    return whole.strip()


def find_summaries(lines: Sequence[str]) -> list[Summary]:
    """The summaries in lines of text, in their order; those without a line of coefficients are none."""
    reader = _Reader(lines)
    if len(lines) <= _MOST_LINES:
        reader.read()
    return [one for one in reader.found if one.coefficients]


class _Reader:
    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.found: list[Summary] = []
        self.open = False  # in the lines of coefficients
        self.named = False  # where R prints them below their names

    def read(self) -> None:
        at = 0
        while at < len(self.lines):
            at += self._read(at, self.lines[at].strip())

    def _read(self, at: int, line: str) -> int:
        """How many lines were read."""
        if len(line) > _LONGEST or not re.search(r"\w", line):
            self.open = False if len(line) > _LONGEST else self.open
            return 1
        if _TITLES.fullmatch(line):
            self.open = False
        elif (pairs := _pairs(line)) is not None:
            self._add_pairs(at, pairs)
        elif (head := _HEAD.fullmatch(line) or _HEAD_OF_R.fullmatch(line)) is not None:
            self._add_head(at, head)
        elif self.open and (one := _coefficient(at, line, self.found[-1])) is not None:
            self.found[-1].coefficients.append(one)
            self.found[-1].lines.add(at)
        elif (read := self._read_of_r(at, line)) is not None:
            return read
        elif self.found and self.found[-1].coefficients:
            self.open = False
            return self._add_foot(at, line)
        return 1

    def _read_of_r(self, at: int, line: str) -> int | None:
        """How many lines that only R prints were read."""
        if line == "Residuals:":
            return self._add_residuals(at)
        if line == "Coefficients:":
            self.named = bool(self.found) and self.found[-1].of_r
            return 1
        if line.removeprefix("Call:").lstrip().startswith(("lm(", "glm(")):
            return self._add_call(at)
        return 2 if self.named and self._add_named(at) else None

    def _started(self) -> Summary:
        self.open = False
        self.found.append(Summary())
        return self.found[-1]

    def _current(self, role: str) -> Summary:
        """The summary that a further head belongs to: a new one where it has this already."""
        last = self.found[-1] if self.found else None
        known = last is not None and (role in last.words or any(n.role == role for n in last.numbers))
        return self._started() if last is None or known or (role == "outcome" and last.coefficients) else last

    def _add_pairs(self, at: int, pairs: Sequence[tuple[str, str]]) -> None:
        self.open = False
        for label, text in pairs:
            key = label.rstrip(":").strip().casefold()
            role = _WORDS.get(key) or _NUMBERS[key]
            summary = self._current(role)
            summary.lines.add(at)
            if key in _WORDS:
                summary.words[role] = (at, text)
            else:
                summary.numbers.append(Number(at, role, label.rstrip(":").strip(), text))

    def _add_head(self, at: int, head: re.Match[str]) -> None:
        last = self.found[-1] if self.found else None
        summary = last if last is not None and not last.coefficients else self._started()
        summary.lines.add(at)
        summary.normal = head.group(1) == "z"
        if head.re is _HEAD_OF_R:
            summary.of_r = True
        else:
            summary.tail = float(head.group(2))
            if abs(1 - summary.tail - float(head.group(3))) > 1e-9:
                return
        self.open = True

    def _add_call(self, at: int) -> int:
        """R's call, which may go over several lines."""
        whole = ""
        for size in range(1, 6):
            whole = " ".join(
                f"{whole} {line.strip()}".strip() for line in self.lines[at + size - 1 : at + size]
            )
            call = _CALL.fullmatch(whole.removeprefix("Call:").lstrip())
            if call is not None:
                summary = self._started()
                summary.lines.update(range(at, at + size))
                summary.of_r = True
                told = {name: text for name, text in call.groupdict().items() if text}
                summary.words.update({name: (at, text) for name, text in told.items()})
                return size
        return 1

    def _add_residuals(self, at: int) -> int:
        """The quantiles of the residuals, below their names; how many lines these are."""
        if not self.found or not self.found[-1].of_r or at + 2 >= len(self.lines):
            return 1
        pairs = under(self.lines[at + 1], self.lines[at + 2])
        if pairs is None or [name for name, _ in pairs] != list(RESIDUALS):
            return 1
        summary = self.found[-1]
        summary.lines.update((at + 1, at + 2))
        summary.numbers += [Number(at + 2, RESIDUALS[name], f"residual {name}", text) for name, text in pairs]
        return 3

    def _add_named(self, at: int) -> bool:
        """Coefficients below their names, as R prints a model itself."""
        pairs = under(self.lines[at], self.lines[at + 1]) if at + 1 < len(self.lines) else None
        if pairs is None:
            self.named = False
            return False
        summary = self.found[-1]
        summary.lines.update((at, at + 1))
        summary.coefficients += [Coefficient(at + 1, term, {"estimate": text}) for term, text in pairs]
        return True

    def _add_foot(self, at: int, line: str) -> int:
        summary = self.found[-1]
        for pattern, roles in _FEET_OF_R if summary.of_r else ():
            foot = pattern.fullmatch(line)
            if foot is not None:
                summary.lines.add(at)
                for role, text in zip(roles, foot.groups(), strict=True):
                    summary.numbers.append(Number(at, role, role.replace("_", " "), text))
                return 1
        if summary.of_r and _LEGEND.fullmatch(line):
            summary.lines.add(at)
        separated = _SEPARATED.fullmatch(line)
        if separated is not None:
            summary.lines.add(at)
            summary.numbers.append(Number(at, "separated", "quasi-separation", separated.group(1)))
        condition = _CONDITION.fullmatch(line)
        if condition is not None:
            summary.lines.add(at)
            summary.numbers.append(Number(at, "condition", "Cond. No.", condition.group(1)))
        elif _NOTE.fullmatch(line):
            summary.lines.add(at)
        return 1


def _pairs(line: str) -> list[tuple[str, str]] | None:
    """Labels and values of a line that is nothing but known labels with their values."""
    apart = re.sub(r"(\d{4}-\d\d-\d\d [0-2]\d:[0-5]\d) (?=\S)", r"\1  ", line)
    fields = [one for one in re.split(r"(?<=:)\s+|\s{2,}", apart) if one]
    if len(fields) % 2:
        return None
    pairs = list(zip(fields[::2], fields[1::2], strict=True))
    known = all(
        (key := label.rstrip(":").strip().casefold()) in _WORDS or key in _NUMBERS for label, _ in pairs
    )
    return pairs if pairs and known else None


_CELLS_OF_R = re.compile(
    rf"(?P<term>\S.*?)\s+(?P<estimate>{NUMBER})\s+(?P<se>{NUMBER})\s+(?P<statistic>{NUMBER})"
    rf"\s+(?P<p><? ?{NUMBER})(?:\s+(?:\*{{1,3}}|\.))?"
)
_CELLS = re.compile(
    rf"(?P<term>\S.*?)\s+(?P<estimate>{NUMBER})\s+(?P<se>{NUMBER})\s+(?P<statistic>{NUMBER})\s+(?P<p>{NUMBER})"
    rf"\s+(?P<low>{NUMBER})\s+(?P<high>{NUMBER})"
)


def _coefficient(at: int, line: str, summary: Summary) -> Coefficient | None:
    hit = (_CELLS_OF_R if summary.of_r else _CELLS).fullmatch(line)
    if hit is None:
        return None
    cells = hit.groupdict()
    return Coefficient(at, cells.pop("term").strip(), cells)


def without(lines: Sequence[str], read: set[int]) -> str:
    """The text without some of its lines."""
    return "\n".join("" if at in read else line for at, line in enumerate(lines))
