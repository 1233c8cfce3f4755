"""What the user configures: groups, rules, tags, policies, encryption, retrievals, limits.

All of it is kept in one small SQLite file beside the traces (`database`): the batches of traces
are never waited for, and it stays when the traces go.

Every function takes a connection to that file. What changes something wants one of
`database.changing`, which keeps all of the changes or none.
"""
