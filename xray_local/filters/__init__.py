"""X-Ray's language of filter expressions.

    text -> lexer -> tokens -> parser -> syntax -> compiler -> SQL
                                            `----> evaluator (what SQL cannot tell)

https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html

What the guide leaves open was decided so:

- Precedence is `!`, then AND (written, or two expressions side by side), then OR.
- Words of the language may be in any case, CONTAINS and its like too (doubtful); values and the
  keys of annotations are compared as they are written (doubtful).
- Parentheses group, and `annotation[key]` is `annotation.key` (doubtful: neither is in the guide of
  2023). A text without quotation marks is refused (doubtful: one example has none).
- What is not set equals nothing and differs from nothing: `http.status != 200` needs a status, and
  `!(http.status = 200)` does not (doubtful). Of several values one that fits is enough.
- A boolean annotation is its value: negated, it is true where it is false or absent.
- `throttle` of a trace is its HasThrottle, which is true wherever in the trace it was; `fault` and
  `error` are the root's, as HasFault and HasError are (doubtful).
- `ok` is neither error nor fault nor throttle, is no longer in progress, and has a 2xx status if it
  has one at all: a redirect is not ok, what has no status is (doubtful).
- `name`, `type` and `account.id` outside of a block are the root's (doubtful).
- In a block, annotations are those of the segment with its subsegments, or of the calling
  subsegment (doubtful: the guide of 2023 forbids them there, later ones do not). In the braces of
  an edge, `source.annotation` is an annotation of the segment that called, with its subsegments,
  and `destination.annotation` one of the segment that answered, or of the call itself where none
  did (doubtful: the guide of 2023 has neither).
- A table that a call names is found by its own name, not as `service("DynamoDB")` (doubtful), and a
  host that sends no segments has the type `remote` (doubtful).
- `index` counts from 0 within the list that the element stands in.
"""

from .compiler import Condition, Filter, read_filter
from .errors import BadFilter

__all__ = ["BadFilter", "Condition", "Filter", "read_filter"]
