/* same_request.h - which live jobs are of one request: a part of statements that write and read quotes. */
#pragma once

/* Live jobs of one request (?1), made at ?2 (a sequence) or later for the caller ?3, that have cost something or may; the newest first. */
#define SAME_REQUEST                                                                                                             \
	" WHERE live.upstream_sha256 = ?1 AND live.sequence >= ?2 AND live.caller IS NOT DISTINCT FROM ?3 AND ledger.spent <> 0" \
	" ORDER BY live.sequence DESC"
