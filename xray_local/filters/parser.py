"""From tokens to the tree of an expression, by recursive descent.

or    = and { "OR" and }
and   = unary { [ "AND" ] unary }
unary = ( "!" | "NOT" ) unary | "(" or ")" | test
"""

import json

from .errors import BadFilter
from .keywords import ANNOTATION, ENDS, OPERATORS, Scope, Type, find_keyword, list_keywords
from .lexer import Kind, Token, read_tokens
from .syntax import (
    And,
    CauseJson,
    CauseTest,
    Comparison,
    EdgeTest,
    Expression,
    GroupTest,
    Id,
    Not,
    Or,
    ServiceTest,
    Value,
)

# SQLite's own parser has a stack of 100, and its expressions may be 1,000 deep.
MAX_DEPTH = 20
MAX_TESTS = 200
CAUSE_KINDS = ("fault", "error", "responsetime")
CAUSE_PARTS = {
    "service": Scope.CAUSE_SERVICE,
    "entity": Scope.CAUSE_ENTITY,
    "exception": Scope.CAUSE_EXCEPTION,
}
COMPLEX = (
    "annotation.KEY",
    "service(...)",
    "edge(..., ...)",
    "group.name",
    "group.arn",
    *(
        f"rootcause.{kind}.{part}"
        for kind in CAUSE_KINDS
        for part in CAUSE_PARTS
        if (kind, part) != ("responsetime", "exception")
    ),
    "rootcause.json",
)


def parse(text: str) -> Expression:
    """Return what the text says. Raises BadFilter."""
    parser = _Parser(read_tokens(text))
    expression = parser.read_or(Scope.TRACE)
    parser.expect_end()
    return expression


def parse_selector(text: str) -> list[ServiceTest] | list[EdgeTest]:
    """Return the services, or the edges, that `service()`, `edge()` and `id()` name.

    Several are written with OR between them. Raises BadFilter.
    """
    return _Parser(read_tokens(text)).read_selectors()


class _Parser:
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0
        self._tests = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._next
        self._place += 1
        return token

    def _take_sign(self, sign: str, expected: str = "") -> Token:
        if not self._next.is_sign(sign):
            raise self._refuse(expected or f"'{sign}'")
        return self._take()

    def _take_string(self) -> str:
        if self._next.kind is not Kind.STRING:
            raise self._refuse(Type.STRING.value)
        return str(self._take().value)

    def _refuse(self, expected: str, token: Token | None = None) -> BadFilter:
        token = token or self._next
        return BadFilter(token.position, expected, token.show())

    def expect_end(self) -> None:
        """Raises BadFilter unless all has been read."""
        if self._next.kind is not Kind.END:
            raise self._refuse("AND, OR, another keyword or the end")

    def read_selectors(self) -> list[ServiceTest] | list[EdgeTest]:
        """Read tests without blocks, all of services or all of edges."""
        if self._next.is_word("EDGE"):
            edges = [EdgeTest(*self._read_ends())]
            while self._take_or("EDGE"):
                edges.append(EdgeTest(*self._read_ends()))
            return edges
        services = [ServiceTest(self._read_selected())]
        while self._take_or("SERVICE", "ID"):
            services.append(ServiceTest(self._read_selected()))
        return services

    def _take_or(self, *words: str) -> bool:
        """Take OR, after which one of the words must stand; False at the end."""
        if self._next.kind is Kind.END:
            return False
        if not self._next.is_word("OR"):
            raise self._refuse("OR or the end")
        self._take()
        if not self._next.is_word(*words):
            raise self._refuse(" or ".join(f"{word.lower()}(...)" for word in words))
        return True

    def _read_selected(self) -> Id:
        if self._next.is_word("ID"):
            return self._read_id()
        if not self._next.is_word("SERVICE"):
            raise self._refuse("service(...), edge(..., ...) or id(...)")
        return self._read_node()

    def read_or(self, scope: Scope) -> Expression:
        """Read as much as belongs together."""
        parts = [self._read_and(scope)]
        while self._next.is_word("OR"):
            self._take()
            parts.append(self._read_and(scope))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _read_and(self, scope: Scope) -> Expression:
        parts = [self._read_unary(scope)]
        while True:
            if self._next.is_word("AND"):
                self._take()
            elif not self._begins_unary():
                return parts[0] if len(parts) == 1 else And(tuple(parts))
            parts.append(self._read_unary(scope))

    def _begins_unary(self) -> bool:
        token = self._next
        if token.kind is Kind.WORD:
            return not token.is_word("OR", "CONTAINS", "BEGINSWITH", "ENDSWITH")
        return token.kind is Kind.ANNOTATION or token.is_sign("!") or token.is_sign("(")

    def _read_unary(self, scope: Scope) -> Expression:
        token = self._next
        if not (token.is_sign("!") or token.is_word("NOT") or token.is_sign("(")):
            return self._read_test(scope)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._refuse(f"at most {MAX_DEPTH} levels of '!' and '('")
        self._take()
        if token.is_sign("("):
            expression = self.read_or(scope)
            self._take_sign(")", "AND, OR, another keyword or ')'")
        else:
            expression = Not(self._read_unary(scope))
        self._depth -= 1
        return expression

    def _read_test(self, scope: Scope) -> Expression:
        self._tests += 1
        if self._tests > MAX_TESTS:
            raise self._refuse(f"at most {MAX_TESTS} keywords")
        token = self._next
        word = token.text.lower()
        if token.kind is Kind.ANNOTATION:
            return self._read_annotation(str(token.value), scope)
        if token.kind is not Kind.WORD:
            raise self._refuse_keyword(scope)
        for prefix in (ANNOTATION, *(f"{end}{ANNOTATION}" for end in ENDS)):
            if word.startswith(prefix) and len(word) > len(prefix):
                return self._read_annotation(f"{prefix}{token.text[len(prefix) :]}", scope)
        if scope is Scope.TRACE:
            if word in ("service", "edge"):
                return self._read_service() if word == "service" else self._read_edge()
            if word in ("group.name", "group.arn"):
                return self._read_group()
            if word == "rootcause.json":
                return self._read_cause_json()
            if word.startswith("rootcause."):
                return self._read_cause()
        keyword = find_keyword(word)
        if keyword is None or not keyword.scopes & scope:
            raise self._refuse_keyword(scope)
        self._take()
        return self._read_comparison(keyword.name, keyword.type)

    def _refuse_keyword(self, scope: Scope) -> BadFilter:
        names = list_keywords(scope)
        if scope is Scope.TRACE:
            names += COMPLEX
        elif scope & (Scope.SERVICE | Scope.EDGE):
            names.append(COMPLEX[0])
            if scope is Scope.EDGE:
                names += [f"{end}{COMPLEX[0]}" for end in ENDS]
        place = "" if scope is Scope.TRACE else " within these braces"
        return self._refuse(f"one of the keywords {', '.join(names)}{place}")

    def _read_annotation(self, field: str, scope: Scope) -> Comparison:
        is_end = field.startswith(ENDS)
        if not scope & (Scope.EDGE if is_end else Scope.TRACE | Scope.SERVICE | Scope.EDGE):
            raise self._refuse_keyword(scope)
        self._take()
        return self._read_comparison(field, Type.ANY)

    def _read_comparison(self, field: str, kind: Type) -> Comparison:
        """Read operator and value, if there are any."""
        token = self._next
        operator = token.text.upper()
        if operator not in OPERATORS[Type.ANY] or token.kind not in (Kind.SIGN, Kind.WORD):
            return Comparison(field)
        if operator not in OPERATORS[kind]:
            raise self._refuse(f"one of {' '.join(OPERATORS[kind])} after {field}")
        self._take()
        value = self._read_value(kind, operator)
        return Comparison(field, operator, value)

    def _read_value(self, kind: Type, operator: str) -> Value:
        types = [
            each for each in (Type.BOOLEAN, Type.NUMBER, Type.STRING) if kind in (each, Type.ANY)
        ]
        types = [each for each in types if operator in OPERATORS[each]]
        token = self._take()
        # The guide compares boolean keywords with "the string true or false": quoted or not.
        is_quoted = token.kind is Kind.STRING and kind is Type.BOOLEAN
        if Type.BOOLEAN in types and (token.is_word("TRUE", "FALSE") or is_quoted):
            if str(token.value).upper() in ("TRUE", "FALSE"):
                return str(token.value).upper() == "TRUE"
        elif Type.NUMBER in types and token.kind is Kind.NUMBER:
            return float(token.value)
        elif Type.STRING in types and token.kind is Kind.STRING:
            return str(token.value)
        raise self._refuse(", ".join(each.value for each in types), token)

    def _read_service(self) -> ServiceTest:
        return ServiceTest(self._read_node(), self._read_block(Scope.SERVICE))

    def _read_node(self) -> Id:
        self._take()
        node = Id()
        if not self._next.is_sign("{"):
            self._take_sign("(")
            if not self._next.is_sign(")"):
                node = self._read_id()
            self._take_sign(")")
        return node

    def _read_edge(self) -> EdgeTest:
        return EdgeTest(*self._read_ends(), self._read_block(Scope.EDGE))

    def _read_ends(self) -> tuple[Id, Id]:
        self._take()
        source = target = Id()
        if not self._next.is_sign("{"):
            self._take_sign("(")
            if not self._next.is_sign(")"):
                source = self._read_id()
                self._take_sign(",")
                target = self._read_id()
            self._take_sign(")")
        return source, target

    def _read_id(self) -> Id:
        if self._next.kind is Kind.STRING:
            return Id(self._take_string())
        if not self._next.is_word("ID"):
            raise self._refuse("the name of a service in quotation marks, or id(...)")
        self._take()
        self._take_sign("(")
        said: dict[str, str] = {}
        while True:
            key = self._next.text.lower()
            if key not in ("name", "type", "account.id") or key in said:
                raise self._refuse("name, type or account.id, each at most once")
            self._take()
            self._take_sign(":")
            said[key] = self._take_string()
            if not self._next.is_sign(","):
                break
            self._take()
        self._take_sign(")", "',' or ')'")
        return Id(said.get("name"), said.get("type"), said.get("account.id"))

    def _read_block(self, scope: Scope) -> Expression | None:
        if not self._next.is_sign("{"):
            return None
        self._take()
        expression = self.read_or(scope)
        self._take_sign("}", "AND, OR, another keyword or '}'")
        return expression

    def _read_group(self) -> GroupTest | Not:
        field = self._take().text.lower()
        operator = self._next
        if not (operator.is_sign("=") or operator.is_sign("!=")):
            raise self._refuse(f"= or != after {field}")
        self._take()
        position = self._next.position
        test = GroupTest(field, self._take_string(), position)
        return test if operator.text == "=" else Not(test)

    def _read_cause(self) -> CauseTest:
        _, _, path = self._next.text.lower().partition(".")
        kind, _, part = path.partition(".")
        if f"rootcause.{kind}.{part}" not in COMPLEX:
            raise self._refuse_keyword(Scope.TRACE)
        self._take()
        scope = CAUSE_PARTS[part]
        if (kind, part) == ("responsetime", "entity"):
            scope |= Scope.CAUSE_COVERAGE
        block = self._read_block(scope)
        if block is None:
            raise self._refuse("'{'")
        return CauseTest(kind, part, block)

    def _read_cause_json(self) -> CauseJson:
        self._take()
        self._take_sign("=")
        token = self._next
        expected = '#[...], a list of objects such as #[{"Services": [{"Name": "..."}]}]'
        if token.kind is not Kind.JSON:
            raise self._refuse(expected)
        causes = json.loads(str(token.value))
        if not isinstance(causes, list) or not all(isinstance(each, dict) for each in causes):
            raise self._refuse(expected)
        self._take()
        return CauseJson(str(token.value))
