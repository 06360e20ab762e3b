/* limits.h - every maximum of the host, in one place.
 *
 * A buffer, queue, string or wait without a limit here is a mistake. What an operator may change is in config/comfyvn.json
 * (design 8) and only defaults or is bounded here. */
#pragma once

/* JSON (RFC 8259). Deeper bodies are refused before the parser sees them: civetweb's threads have 100 KiB of stack. */
#define LIMIT_JSON_DEPTH 64

/* Requests. */
#define LIMIT_BODY_BYTES_DEFAULT (16 * 1024 * 1024)
#define LIMIT_BODY_BYTES_MAX (256 * 1024 * 1024)
#define LIMIT_REQUEST_HEAD_BYTES 32768
#define LIMIT_BODY_SECONDS 20            /* whole body, from the first read */
#define LIMIT_PATH_SEGMENT_BYTES 256
#define LIMIT_IDEMPOTENCY_KEY_BYTES 255
#define LIMIT_REQUEST_ID_BYTES 128
#define LIMIT_REQUESTS_PER_CONNECTION 1000 /* then the connection is closed, so that newcomers get a thread (tech 1.3) */

/* Answers. */
#define LIMIT_REPLY_BYTES (512 * 1024 * 1024)
#define LIMIT_PAGE_DEFAULT 50
#define LIMIT_PAGE_MAX 500
#define LIMIT_STORED_TEXT_BYTES 4096     /* longer texts of a dry run's payload are abbreviated in its row */

/* Files read at start or on change. */
#define LIMIT_CONFIG_FILE_BYTES (1024 * 1024)
#define LIMIT_SCRIPT_FILE_BYTES (1024 * 1024)
#define LIMIT_CREDENTIAL_BYTES 4096

/* Scripts (design 2.7). */
#define LIMIT_SCRIPT_MEMORY_BYTES (64 * 1024 * 1024)
#define LIMIT_SCRIPT_CPU_MS 2000         /* one resume of a coroutine */
#define LIMIT_SCRIPT_LOAD_CPU_MS 500
#define LIMIT_SCRIPT_INSTRUCTIONS 200000000LL
#define LIMIT_SCRIPT_HOOK_COUNT 10000    /* instructions between two looks at the clock */
#define LIMIT_PATTERN_SUBJECT_BYTES 65536
#define LIMIT_PATTERN_COST 100000000LL   /* subject bytes ^ unanchored quantifiers, see script/pattern.c */
#define LIMIT_SCRIPT_KILLS 3             /* kills within LIMIT_SCRIPT_KILL_WINDOW_MS before a provider rests */
#define LIMIT_SCRIPT_KILL_WINDOW_MS 60000
#define LIMIT_SCRIPT_REST_MS 30000
#define LIMIT_SCRIPT_WARNINGS 32         /* warnings and notes one call may add, each */

/* Engine and store. */
#define LIMIT_ENGINE_QUEUE 1024          /* calls waiting; more are answered 503 */
#define LIMIT_STORE_QUEUE 65536
#define LIMIT_CALL_WAIT_MS 15000         /* an HTTP thread waits this long for the engine */
#define LIMIT_PROVIDERS 256
#define LIMIT_ALIASES 32
