"""A learning platform as a pupil's browser meets it: one small public page over TLS, each step timed, a few kB read.

`child` is what the daemon imports: it has the page fetched by `engine` in a process of its own, for the TLS library's
store of authorities and the HTTP parser are not to be held for months (docs/decisions/0012).
"""
