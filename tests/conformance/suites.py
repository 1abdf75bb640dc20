"""What a suite reports: cases, passed, and each deviation in words."""

from dataclasses import dataclass, field


@dataclass
class Outcome:
    suite: str
    version: str
    cases: int = 0
    passed: int = 0
    deviations: list[str] = field(default_factory=list)
    blocked: str = ""

    def check(self, ok: bool, text: str) -> None:
        self.cases += 1
        self.passed += bool(ok)
        if not ok:
            self.deviations.append(text)
