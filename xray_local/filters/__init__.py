"""X-Ray's language of filter expressions.

    text -> lexer -> tokens -> parser -> syntax -> compiler -> SQL
                                            `----> evaluator (what SQL cannot tell)

https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html

What the guide leaves open was decided so:

- Precedence is `!`, then AND (written, or two expressions side by side), then OR.
- Words of the language may be in any case; values and the keys of annotations are compared as
  they are written.
- What is not set equals nothing and differs from nothing: `http.status != 200` needs a status, and
  `!(http.status = 200)` does not. Of several values one that fits is enough.
- `throttle` of a trace is its HasThrottle, which is true wherever in the trace it was; `fault` and
  `error` are the root's, as HasFault and HasError are.
- `ok` is neither error nor fault nor throttle, is no longer in progress, and has a 2xx status if it
  has one at all.
- `name`, `type` and `account.id` outside of a block are the root's.
- In a block, annotations are those of the segment with its subsegments, or of the calling
  subsegment. (The guide of 2023 forbids them there, later ones do not.) In the braces of an edge,
  `source.annotation` is an annotation of the segment that called, with its subsegments.
- `index` counts from 0 within the list that the element stands in.
"""

from .compiler import Condition, Filter, read_filter
from .errors import BadFilter

__all__ = ["BadFilter", "Condition", "Filter", "read_filter"]
