/* limits.h - every maximum of the host, in one place.
 *
 * A buffer, queue, string or wait without a limit here is a mistake. What an operator may change is in config/comfyvn.json
 * and only defaults or is bounded here. */
#pragma once

/* JSON (RFC 8259). The parser goes no deeper: civetweb's threads have 100 KiB of stack. */
#define LIMIT_JSON_DEPTH 64
#define LIMIT_JSON_VALUES 500000 /* of one text: "[],[]," takes fifty times its size once it is parsed */

/* Requests. */
#define LIMIT_BODY_BYTES_DEFAULT (16 * 1024 * 1024)
#define LIMIT_BODY_BYTES_MAX (256 * 1024 * 1024)
#define LIMIT_REQUEST_HEAD_BYTES 32768
#define LIMIT_BODIES_BYTES (512 * 1024 * 1024) /* of all bodies that are being read or worked on, and what was parsed of them, */
#define LIMIT_BODY_FREE_BYTES (256 * 1024)     /* but for so much of each request: usual ones are never refused for it */
#define LIMIT_BODY_SECONDS 20		       /* whole body, from the first read */
#define LIMIT_PATH_SEGMENT_BYTES 256
#define LIMIT_PATH_BYTES 2048
#define LIMIT_IDEMPOTENCY_KEY_BYTES 255
#define LIMIT_REQUEST_ID_BYTES 128
#define LIMIT_REQUESTS_PER_CONNECTION 1000 /* then the connection is closed, so that newcomers get a thread */
#define LIMIT_HEAD_MS 5000	/* a request's head to arrive, and a pause between two packets; also an idle connection's life */
#define LIMIT_SHORT_HEAD_MS 200 /* the same while 4 of 5 threads are taken: then nobody keeps one for nothing */
#define LIMIT_SHORTEST_HEAD_MS 50	/* and while 19 of 20 are: probes stand behind whoever connected before them */
#define LIMIT_BODY_SLICE_BYTES 65536	/* read or written at once */
#define LIMIT_DRAIN_BYTES (1024 * 1024) /* read and thrown away after a refusal, so that the client gets to see it */
#define LIMIT_DRAIN_MS 1000
#define LIMIT_SHORT_DRAIN_MS 50	   /* while threads are short */
#define LIMIT_LISTEN_BACKLOG 4096  /* the system has a limit too: net.core.somaxconn */
#define LIMIT_PROBE_CONNECTIONS 64 /* to server.probe_listen; then the oldest goes */
#define LIMIT_PROBE_MS 1000	   /* for one of them, from its beginning to its end */

/* Forms (multipart/form-data). */
#define LIMIT_FORM_BOUNDARY_BYTES 70 /* RFC 2046 */
#define LIMIT_FORM_PARTS 128	     /* 16 images and a field for each thing that can be said are far fewer */
#define LIMIT_FORM_HEAD_BYTES 4096   /* the header lines of a part */
#define LIMIT_FORM_NAME_BYTES 256
#define LIMIT_FORM_FILENAME_BYTES 1024

/* OpenAI's API. */
#define LIMIT_ORPHAN_MS 900000	     /* in which a request takes over the job of an equal one whose answer did not arrive */
#define LIMIT_ORPHAN_RECENT_MS 60000 /* an answer that was lost behind the client's system is asked for again within this */
#define LIMIT_ORPHAN_ROWS 8192	     /* of one digest that are looked at: twice as many as there may be threads */
#define LIMIT_ORPHAN_WAIT_MS 30000   /* for an earlier request: LIMIT_CALL_WAIT_MS, LIMIT_COMMIT_WAIT_MS and a little */
#define LIMIT_OPENAI_NAMES 256	     /* of openai.models */
#define LIMIT_OPENAI_NAME_BYTES 200  /* of a model */
#define LIMIT_OPENAI_WAIT_SECONDS 3600
#define LIMIT_OPENAI_PROMPT_CHARACTERS 32000
#define LIMIT_OPENAI_USER_BYTES 512 /* of user, which each job's row keeps */
#define LIMIT_OPENAI_IMAGES 16	    /* of one edit */
#define LIMIT_OPENAI_SIZES 128	    /* of one model that are told */

/* Answers. */
#define LIMIT_REPLY_BYTES (512 * 1024 * 1024)
#define LIMIT_PAGE_BYTES (8 * 1024 * 1024) /* a page of a list ends with the row that goes beyond it */
#define LIMIT_REPLY_SECONDS                                                                                                      \
	60 /* for a client to take an answer, and as much longer as LIMIT_FILE_BYTES_PER_SECOND allows for it */
#define LIMIT_REPLY_PAUSE_MS 5000	   /* in which it takes nothing at all */
#define LIMIT_DELIVERY_MS 20000		   /* for the client's system to acknowledge all of an answer that was paid for, */
#define LIMIT_DELIVERY_PAUSE_MS 3000	   /* in which it acknowledges nothing at all, */
#define LIMIT_DELIVERY_LOOK_MS 200	   /* and then for a reset, which says that it was not read: nobody else waits for it */
#define LIMIT_DELIVERY_RESET_MS 5000	   /* and for one that comes later: a busy proxy takes its time to break off */
#define LIMIT_DELIVERY_CLOSING_LOOK_MS 20  /* but a client that waits for the connection's end */
#define LIMIT_REPLY_ONE_WRITE_BYTES 65536  /* larger bodies follow their head in slices, uncopied */
#define LIMIT_FILE_BYTES_PER_SECOND 262144 /* a client that takes an answer more slowly, in the long run, is left */
#define LIMIT_KEPT_BUFFER_BYTES 16384	   /* an HTTP thread's buffer that grew beyond is given back after the request */
#define LIMIT_PAGE_DEFAULT 50
#define LIMIT_PAGE_MAX 500
#define LIMIT_LIST_SCAN 20000	   /* rows that one page of a list looks at; of a rare match it may take several pages */
#define LIMIT_LIST_PROVIDERS 32	   /* that a list may be asked for at once */
#define LIMIT_COUNT_PAGES 16	   /* queries for counts whose answers are kept */
#define LIMIT_COUNT_DURATIONS 2000 /* live jobs, the newest, that a median is of */
#define LIMIT_BRIEF_PROMPT_CHARACTERS 200
#define LIMIT_SEARCH_BYTES 200 /* of words to look for in jobs, */
#define LIMIT_SEARCH_WORDS 8
#define LIMIT_SEARCH_ID_BYTES                                                                                                    \
	6 /* a shorter word is not looked for within an id, only at its beginning: any few letters are in some */
#define LIMIT_SEARCH_PROMPT_BYTES 8192 /* a stored prompt has LIMIT_STORED_TEXT_BYTES */
#define LIMIT_STORED_TEXT_BYTES 4096   /* longer texts of a dry run's payload are abbreviated in its row */

/* Vendors' answers. */
#define LIMIT_RESPONSE_BYTES (48 * 1024 * 1024)
#define LIMIT_HEALTH_RESPONSE_BYTES                                                                                              \
	(4 * 1024 * 1024) /* to a health check: clients may ask for many at once, and nothing is paid for */
#define LIMIT_RESPONSE_TEXT_BYTES                                                                                                \
	(4 * 1024 * 1024) /* of a body that a script gets as text; of a longer one it gets the beginning */
#define LIMIT_RESPONSE_BEGINNING_BYTES 65536
#define LIMIT_RESPONSE_JSON_VALUES 200000 /* that a script gets as tables; of a larger answer the large parts stay whole */
#define LIMIT_RESPONSE_PART_VALUES 10000
#define LIMIT_RESPONSE_HEAD_BYTES (256 * 1024)
#define LIMIT_RESPONSE_HEADERS 256 /* lines of a head that a script gets to see */
#define LIMIT_TRANSFER_SECONDS 60  /* unless the script asks for another, up to LIMIT_TRANSFER_SECONDS_MAX */
#define LIMIT_TRANSFER_SECONDS_MAX 600
#define LIMIT_TRANSFER_SILENCE_SECONDS 30 /* a download that brings nothing for so long has failed */
#define LIMIT_CONNECT_SECONDS 10
#define LIMIT_STOP_CALLS_MS 2500       /* and then scripts this long to take note of those that were cut off */
#define LIMIT_STOP_TRANSFER_SECONDS 25 /* a host that stops gives transfers this long: what they bring may be paid for */

/* Vendors' webhooks. */
#define LIMIT_WEBHOOK_IN_BODY_BYTES (2 * 1024 * 1024)
#define LIMIT_WEBHOOK_IN_AGE_SECONDS 300   /* between its timestamp and our clock, in either direction */
#define LIMIT_WEBHOOK_IN_HEADER_BYTES 1024 /* one header that counts for the signature */
#define LIMIT_WEBHOOK_IN_SIGNATURES 8	   /* of one webhook that are looked at */
#define LIMIT_WEBHOOK_IN_SEEN 4096	   /* webhooks remembered, so that a repeated one is not acted upon */
#define LIMIT_SIGNING_KEYS 16		   /* of a vendor */
#define LIMIT_SIGNING_KEY_BYTES 64
#define LIMIT_SIGNING_KEYS_AGE_MS 86400000  /* then they are fetched again */
#define LIMIT_SIGNING_KEYS_PAUSE_MS 60000   /* between two fetches, when no key fits */
#define LIMIT_SIGNING_KEYS_RETRY_MS 5000    /* after a fetch that failed */
#define LIMIT_SIGNING_KEYS_WAIT_MS 4000	    /* an HTTP thread waits this long for them: vendors hang up after 5 to 15 s */
#define LIMIT_SIGNING_KEYS_FETCH_SECONDS 10 /* and a fetch may take this long, for the next webhook to find them */

/* Artifacts: copies of what live jobs made. */
#define LIMIT_ARTIFACT_QUEUE 16384	     /* jobs whose outputs wait to be copied; each is held by its poster */
#define LIMIT_ARTIFACTS 512		     /* outputs of one job */
#define LIMIT_ARTIFACT_DOWNLOADS 32	     /* at once */
#define LIMIT_ARTIFACT_PROVIDER_DOWNLOADS 16 /* of one provider: who chooses URLs must not hold the others' outputs up */
#define LIMIT_ARTIFACT_HOST_DOWNLOADS 8	     /* from one host */
#define LIMIT_ARTIFACT_HOST_BYTES 256
#define LIMIT_ARTIFACT_JOB_SECONDS                                                                                               \
	1200 /* for all outputs of one job, from when they begin to be copied; what is missing then is lost */
#define LIMIT_ARTIFACT_BYTES_PER_SECOND 512 /* a download that is slower for LIMIT_TRANSFER_SILENCE_SECONDS has failed */
#define LIMIT_ARTIFACT_BATCH 32		    /* files synced together; each is two descriptors until then */
#define LIMIT_ARTIFACT_SECONDS 600	    /* one try of one download */
#define LIMIT_ARTIFACT_TRIES 3
#define LIMIT_ARTIFACT_PAUSE_MS 1000	    /* before the second try; four times as long before the third */
#define LIMIT_ARTIFACT_RETRY_AFTER_MS 60000 /* what a vendor may ask us to wait */
#define LIMIT_ARTIFACT_STOP_MS 10000	    /* for copies under way when the host stops */
#define LIMIT_ARTIFACT_INLINE_BYTES 4096    /* text and JSON up to this size are shown in the artifact too */
#define LIMIT_ARTIFACT_NAME_BYTES 128
#define LIMIT_ARTIFACT_URL_BYTES 16384
#define LIMIT_ARTIFACT_SWEEP_HOURS 24
#define LIMIT_ARTIFACT_REMOVE_MS 10000 /* a request waits this long for files to be removed */

/* A bucket (S3) that keeps them. */
#define LIMIT_S3_REQUEST_BYTES 65536		   /* a request's head, and what is signed of it */
#define LIMIT_S3_ANSWER_BYTES (4 * 1024 * 1024)	   /* an answer that is no file: a page of a listing has 1000 names of 1 KiB */
#define LIMIT_S3_KEY_BYTES 1024			   /* a name in a bucket, as AWS has it */
#define LIMIT_S3_SECONDS 30			   /* one request without a file */
#define LIMIT_S3_FILE_SECONDS 600		   /* one that brings, or takes, a file or a part of one */
#define LIMIT_S3_SILENCE_SECONDS 15		   /* in which nothing of a file moves: a host that stops waits for it */
#define LIMIT_S3_TRIES 3			   /* of one request */
#define LIMIT_S3_PAUSE_MS 250			   /* before the second; four times as long before the third */
#define LIMIT_S3_WHOLE_BYTES (64 * 1024 * 1024)	   /* larger files go in parts, */
#define LIMIT_S3_PART_BYTES (16 * 1024 * 1024)	   /* of this size, */
#define LIMIT_S3_PARTS 10000			   /* or larger ones: there may be no more */
#define LIMIT_S3_URL_SECONDS 300		   /* for which a URL is good that is given out */
#define LIMIT_BUCKET_BLOCK_BYTES (4 * 1024 * 1024) /* fetched at once, and cached */
#define LIMIT_BUCKET_FETCHES 32			   /* at the same time */
#define LIMIT_BUCKET_UPLOADS 16			   /* the same; others wait */
#define LIMIT_BUCKET_WAIT_MS 60000		   /* a request waits this long for a block */
#define LIMIT_BUCKET_WAITING_FILES 10000	   /* that this host keeps while the bucket is away; then outputs are lost */
#define LIMIT_BUCKET_AGAIN_MS 15000		   /* from a failure to the next try; twice as long after each, */
#define LIMIT_BUCKET_AGAIN_MOST_MS 600000	   /* up to this */
#define LIMIT_BUCKET_LOOK_AGAIN_MS 120000	   /* longer than a sweep takes from its last look at a file to its end */
#define LIMIT_BUCKET_SWEEP_AGAIN_SECONDS 600	   /* from a sweep that failed to the next */
#define LIMIT_BUCKET_ABSENT 1024		   /* files that are known to be gone, remembered */

/* Outgoing webhooks. */
#define LIMIT_WEBHOOKS_OUT 64
#define LIMIT_WEBHOOK_OUT_URL_BYTES 2048
#define LIMIT_WEBHOOK_OUT_EVENTS_BYTES 1024	  /* the patterns of one */
#define LIMIT_WEBHOOK_OUT_SECRET_BYTES 128	  /* as text */
#define LIMIT_WEBHOOK_OUT_WINDOW 64		  /* events of one webhook that are read ahead of the first try */
#define LIMIT_WEBHOOK_OUT_PENDING 1000		  /* and that wait to be tried again; then its part of the log waits */
#define LIMIT_WEBHOOK_OUT_CALLBACKS_PENDING 20000 /* the same of all callback_urls, of which one may be dead */
#define LIMIT_WEBHOOK_OUT_PARKED 1000		  /* given up, and kept; then the oldest goes */
#define LIMIT_WEBHOOK_OUT_CONCURRENT 8		  /* attempts of one webhook at the same time */
#define LIMIT_WEBHOOK_OUT_CALLBACKS_CONCURRENT 48
#define LIMIT_WEBHOOKS_OUT_CONCURRENT 128 /* of all of them */
#define LIMIT_WEBHOOK_OUT_RECEIVER_CONCURRENT                                                                                    \
	4 /* to one receiver of callbacks (name and port) that takes them; 1 until it has taken one */
#define LIMIT_WEBHOOK_OUT_NAME_CONCURRENT 8 /* to all ports of its name */
#define LIMIT_WEBHOOK_OUT_NEW_CONCURRENT                                                                                         \
	32 /* to all receivers of callbacks that have not taken the last one: names cost nothing */
#define LIMIT_WEBHOOK_OUT_NEW_PATIENT                                                                                            \
	8 /* of them, those that get LIMIT_WEBHOOK_OUT_SECONDS for an answer; the others get 2 and are tried again as slow */
#define LIMIT_WEBHOOK_OUT_NEW_SECONDS 2
#define LIMIT_WEBHOOK_OUT_SLOW_CONCURRENT 8	 /* to all receivers of callbacks that hang: the rest is for those that answer */
#define LIMIT_WEBHOOK_OUT_OWN_SLOW_CONCURRENT 24 /* to registered webhooks that hang */
#define LIMIT_WEBHOOK_OUT_RECEIVER_PENDING 2000	 /* deliveries waiting for one receiver of callbacks; more are parked */
#define LIMIT_WEBHOOK_OUT_RECEIVERS 1024	 /* receivers of callbacks that are remembered while nobody waits for them */
#define LIMIT_WEBHOOK_OUT_SECONDS 15		 /* one attempt */
#define LIMIT_WEBHOOK_OUT_DAY_MS 86400000	 /* from the first attempt on; then a delivery is parked */
#define LIMIT_WEBHOOK_OUT_PAUSE_MS 14400000	 /* what the pause between two attempts grows to */
#define LIMIT_WEBHOOK_OUT_ROTATION_MS 86400000	 /* an earlier secret signs too for so long */
#define LIMIT_WEBHOOK_OUT_SAVE_MS 200		 /* between two writes of how far it has come */
#define LIMIT_WEBHOOK_OUT_STOP_MS 3000 /* a host that stops waits this long for attempts under way: they are made again */
#define LIMIT_WEBHOOK_OUT_PROBLEM_BYTES 120
#define LIMIT_WEBHOOK_OUT_PAST_ATTEMPTS 50 /* of one webhook that are shown */

/* What a script says of its inputs. */
#define LIMIT_INPUTS_BYTES (4 * 1024 * 1024) /* of JSON, all choices together */
#define LIMIT_INPUT_CHOICES 512
#define LIMIT_INPUT_TEXT_BYTES 256 /* a mode, a model, a label */
#define LIMIT_INPUT_SCHEMA_BYTES (256 * 1024)
#define LIMIT_INPUT_PROPERTIES 500 /* in all of a schema */
#define LIMIT_INPUT_DEPTH 16
#define LIMIT_INPUT_ENUM 1000

/* Quotes: requests whose price was asked. */
#define LIMIT_QUOTE_MS 3600000		       /* in which it can be made */
#define LIMIT_QUOTES 4096		       /* without a job, of one API key; then its oldest goes */
#define LIMIT_QUOTES_BYTES (128 * 1024 * 1024) /* of their requests, together */
#define LIMIT_QUOTE_BYTES (32 * 1024 * 1024)   /* of one request */
#define LIMIT_QUOTE_SAME_MS 86400000	       /* a job of the same request counts as paid already for so long */
#define LIMIT_QUOTE_SAME_SHOWN 3	       /* of them, the newest */
#define LIMIT_APPROVALS 200		       /* of a list */
#define LIMIT_APPROVALS_OF_CALLER 50 /* of one API key that wait for a yes at a time: nobody crowds others out of the list */
#define LIMIT_APPROVAL_REQUEST_BYTES (16 * 1024) /* of a request in the list of what waits; of a larger one its names */
#define LIMIT_APPROVAL_QUESTION_MS 600000	 /* a question to a client's user, until it is answered */

/* Files read at start or on change. */
#define LIMIT_CONFIG_FILE_BYTES (1024 * 1024)
#define LIMIT_SCRIPT_FILE_BYTES (1024 * 1024)
#define LIMIT_CREDENTIAL_BYTES 4096
#define LIMIT_SESSION_BODY_BYTES 8192 /* of a login */
#define LIMIT_CREDENTIAL_PATTERN_BYTES 256
#define LIMIT_CREDENTIAL_PATTERN_STEPS 512 /* what it is compiled to: matching a value takes at most this times its bytes */
#define LIMIT_CREDENTIALS 16		   /* of one provider */
#define LIMIT_AUTH_HEADERS 16		   /* that every request of one provider gets */
#define LIMIT_SECRETS 1024		   /* values in the secrets file */
#define LIMIT_CONFIG_TEXT_BYTES 1024	   /* one text of the configuration */
#define LIMIT_CONFIG_LIST_ITEMS 256	   /* API keys, origins, hosts */
#define LIMIT_API_KEY_NAME_BYTES 64
#define LIMIT_MASK_NODES                                                                                                         \
	1000000 /* bytes of known secrets beyond which their encoded forms are left out: 24 bytes of memory each */

#define LIMIT_LOG_TAIL_LINES 2000 /* of the log, in memory: of LOG_LINE_BYTES at most, some 300 as a rule */

/* Scripts. */
#define LIMIT_SCRIPT_MEMORY_BYTES (64 * 1024 * 1024)
/* What C makes out of a call's values, all together: payload, preview, request, result, notes. As much again as the script's own memory, and half of it
 * more for buffers that have just grown: a request of 16 MiB comes three times in it, a vendor's answer of 48 MiB once, in base64. */
#define LIMIT_CALL_TEXT_BYTES (LIMIT_SCRIPT_MEMORY_BYTES + LIMIT_SCRIPT_MEMORY_BYTES / 2)
#define LIMIT_ANSWER_BYTES (48 * 1024 * 1024) /* of a call: a request of 16 MiB comes twice in it, as payload and as preview */
#define LIMIT_ROW_BYTES (24 * 1024 * 1024)    /* of a task's payload, whose long texts were cut */
#define LIMIT_CALLS_TEXT_BYTES (256 * 1024 * 1024)    /* of all calls: what comes then is answered 503 */
#define LIMIT_SCRIPT_CROWD_BYTES (128 * 1024 * 1024)  /* of all calls, beyond LIMIT_SCRIPT_RESIDENT_BYTES each */
#define LIMIT_SCRIPT_RESIDENT_BYTES (8 * 1024 * 1024) /* above it, a state's garbage is collected after each call */
#define LIMIT_SCRIPT_CPU_MS 2000		      /* one resume of a coroutine */
#define LIMIT_SCRIPT_LOAD_CPU_MS 500
#define LIMIT_SCRIPT_SLICE_MS 20 /* of CPU time; then a call pauses, and the next script has its turn */
#define LIMIT_SCRIPT_INSTRUCTIONS 200000000LL
#define LIMIT_SCRIPT_HOOK_COUNT 1000 /* instructions between two looks at the clock */
#define LIMIT_PATTERN_SUBJECT_BYTES 65536
#define LIMIT_PATTERN_BYTES 1024
#define LIMIT_OUTGOING_URL_BYTES 65536	       /* of a request that a script asks for */
#define LIMIT_OUTGOING_NAME_BYTES 256	       /* of a header's name, and of a form part's name, filename and type */
#define LIMIT_OUTGOING_HEADER_BYTES 8192       /* of a header's value: what common servers take */
#define LIMIT_OUTGOING_HEADER_CREDENTIALS 4    /* named by one header: four of the longest fit into LIMIT_REQUEST_HEAD_BYTES */
#define LIMIT_OUTGOING_HEAD_BYTES 32768	       /* of all headers, before credentials are filled in */
#define LIMIT_SCRIPT_BLAME_BYTES (1024 * 1024) /* of a request: a stop by a larger one does not count */
#define LIMIT_SCRIPT_KILLS 3		       /* kills within LIMIT_SCRIPT_KILL_WINDOW_MS before a provider rests */
#define LIMIT_SCRIPT_KILL_WINDOW_MS 60000
#define LIMIT_SCRIPT_REST_MS 30000
#define LIMIT_SCRIPT_WARNINGS 32 /* warnings and notes one call may add, each */

/* Engine and store. */
#define LIMIT_ENGINE_QUEUE 1024		  /* calls waiting; more are answered 503 */
#define LIMIT_SCRIPT_QUEUE 256		  /* of one script: the others find room */
#define LIMIT_SCRIPT_INSTANCES_PER_CORE 4 /* a thread that has to let others run keeps its instance */
#define LIMIT_SCRIPT_PASSED_MS 8	  /* so long others may go before a call that waits for an instance */
#define LIMIT_SCRIPT_INSTANCES 32	  /* of one script, each of which runs a call */
#define LIMIT_ENGINE_HOLD_MS                                                                                                     \
	100 /* a call that held the engine for longer, in C that no hook can pause, costs its script a pause, */
#define LIMIT_ENGINE_HOLD_TIMES 4	/* so many times as long, */
#define LIMIT_ENGINE_HOLD_PAUSE_MS 8000 /* at most this, */
#define LIMIT_ENGINE_OTHERS_MS 5000	/* when another script was called so lately */
#define LIMIT_PREVIEWS_QUEUE 128	/* calls waiting, beyond which previews are answered 503: the places are for jobs */
#define LIMIT_STORE_QUEUE 65536
#define LIMIT_STORE_READERS 6		 /* read-only connections, each with one reader at a time */
#define LIMIT_STORE_READER_WAIT_MS 5000	 /* a reader waits this long for one of them */
#define LIMIT_REGISTRY_START_MS 30000	 /* a host that starts waits this long for the server of its registry */
#define LIMIT_STORE_LOCK_MS 2000	 /* for another program's lock on the database */
#define LIMIT_STORE_SOURCES 1024	 /* pairs of kind and provider that the registry ever saw */
#define LIMIT_STORE_WAL_BYTES 67108864	 /* what is kept of the write-ahead log's file after a busy time */
#define LIMIT_STORE_MAP_BYTES 1073741824 /* of the database, mapped for reading */
#define LIMIT_RING_BYTES 2097152	 /* of dry runs that are answered for and not in the database yet, */
#define LIMIT_RING_RECORDS 4096		 /* and so many of them (a power of two) */
#define LIMIT_RING_WAIT_MS 1000		 /* who reads waits this long for those that were answered before */
#define LIMIT_CALL_WAIT_MS 15000	 /* an HTTP thread waits this long for the engine */
#define LIMIT_RETRY_AFTER_SECONDS 60	 /* the longest that is asked for */
#define LIMIT_CALL_LOOK_MS 1000		 /* and looks this often whether its client is still there, and whether too many wait */
#define LIMIT_COMMIT_WAIT_MS 10000 /* and this much longer for a commit that has begun: what it writes cannot be taken back */
#define LIMIT_PROVIDERS 256
#define LIMIT_DIRECTORY_REFRESH_HOURS 720
#define LIMIT_MODEL_SEARCH_BYTES 200
#define LIMIT_WATCHED 512	   /* directories whose changes are told at once */
#define LIMIT_SCRIPT_MODULES 1024  /* helpers that scripts may require */
#define LIMIT_SCRIPT_NAME_BYTES 64 /* of a helper, and of its folder */
#define LIMIT_ALIASES 32

/* The page's own files. */
#define LIMIT_OPENAPI_FILE_BYTES (256 * 1024)
#define LIMIT_STUDIO_FILES 64
#define LIMIT_STUDIO_FILE_BYTES (256 * 1024)
#define LIMIT_STUDIO_NAME_BYTES 120 /* of a path below studio/ */
#define LIMIT_STUDIO_DEPTH 4	    /* folders in folders */
#define LIMIT_STUDIO_PROBLEMS 8	    /* that are told */

/* The directory of models. */
#define LIMIT_DIRECTORY_AGE_SECONDS 31536000 /* that a script may call fresh */
#define LIMIT_DIRECTORY_PAGES 40	     /* of one crawl */
#define LIMIT_DIRECTORY_PAGE_TRIES 3	     /* of a page after the first, again */
#define LIMIT_DIRECTORY_PAGE_PAUSE_MS 2000   /* before the first of them; it doubles */
#define LIMIT_DIRECTORY_SEARCH_MS 600000     /* the same words are not searched for again for so long */
#define LIMIT_DIRECTORY_CALLS 16	     /* of all scripts at once */
#define LIMIT_DIRECTORY_REQUESTS 8	     /* of one call */
#define LIMIT_DIRECTORY_REQUEST_SECONDS 20
#define LIMIT_DIRECTORY_RESPONSE_BYTES (4 * 1024 * 1024)
#define LIMIT_DIRECTORY_RESULT_BYTES (16 * 1024 * 1024) /* what a script made of it */
#define LIMIT_DIRECTORY_MODELS 10000			/* of one provider */
#define LIMIT_DIRECTORY_BYTES (96 * 1024 * 1024)	/* of all texts of one provider; then the oldest descriptions go */
#define LIMIT_DIRECTORY_UNKNOWN 1000			/* ids of one provider that were asked for and are none */
#define LIMIT_DIRECTORY_ASKS 256		 /* of one provider that wait; more are dropped, who needs them asks again */
#define LIMIT_DIRECTORY_PRICE_IDS 50		 /* in one question */
#define LIMIT_DIRECTORY_MODEL_BYTES (320 * 1024) /* one, with its schema */
#define LIMIT_DIRECTORY_SCHEMA_BYTES (256 * 1024)
#define LIMIT_DIRECTORY_SCHEMA_DEPTH 40 /* of values: about 16 of schemas within schemas */
#define LIMIT_DIRECTORY_PROPERTIES 500
#define LIMIT_DIRECTORY_ENUM 1000
#define LIMIT_DIRECTORY_NAME_BYTES 200
#define LIMIT_DIRECTORY_DESCRIPTION_BYTES 1000
#define LIMIT_DIRECTORY_VALUE_BYTES 8192 /* one text of a schema or an example */
#define LIMIT_DIRECTORY_EXAMPLE_BYTES 16384
#define LIMIT_DIRECTORY_TEXTS 32 /* warnings, drivers, outputs, limits in words: each */
#define LIMIT_DIRECTORY_PRICE_USD 1000000
#define LIMIT_DIRECTORY_BACKOFF_MS 60000 /* after the first failure; it doubles, */
#define LIMIT_DIRECTORY_BACKOFF_MAX_MS 3600000
#define LIMIT_DIRECTORY_MISSING_MS 600000	/* "no such model" is believed for so long */
#define LIMIT_DIRECTORY_PRICE_AGE_MS 604800000	/* an older price counts as none */
#define LIMIT_DIRECTORY_LIVE_AGE_MS 3600000	/* a description that a live submit used is read anew when it is older */
#define LIMIT_DIRECTORY_FAILING_MS 259200000	/* then the host says so in /readyz */
#define LIMIT_DIRECTORY_GONE_MS 2592000000	/* what is gone is shown for so long */
#define LIMIT_DIRECTORY_RETRY_AFTER_MS 86400000 /* what a vendor may ask us to wait */
#define LIMIT_DIRECTORY_WAIT_MS 2000		/* a live submit waits for a model that was never seen */
#define LIMIT_DIRECTORY_EVENTS 50		/* told of one crawl */

/* Watching over the host. */
#define LIMIT_WATCHDOG_MS 8000		  /* a thread that does not come back for so long ends the process */
#define LIMIT_STOP_MS 50000		  /* and so does a host that was told to stop: parts that wait for each other have 45 s */
#define LIMIT_STORE_SLOW_MS 5000	  /* a commit that takes longer makes the host not ready */
#define LIMIT_STORE_CLAIMED 1024	  /* ids at a vendor that are named to who looks for a lost job, */
#define LIMIT_STORE_CLAIMED_ROWS 4096	  /* of so many live jobs of whichever provider, */
#define LIMIT_STORE_CLAIMED_BYTES 1048576 /* in so many bytes of JSON */
#define LIMIT_SETTING_LOOK_MS 1000	  /* a host looks this often for what others of its registry have set */
#define LIMIT_STORE_PROBE_MS 1000	  /* while writes fail, a small one is tried this often */
#define LIMIT_STORE_AWAY_MS                                                                                                      \
	2000 /* a server that does not answer for so long is away: what comes to be stored is refused at once */
#define LIMIT_STORE_MEND_MS 250			 /* while it is, a connection is tried this often */
#define LIMIT_DISK_FREE_BYTES (64 * 1024 * 1024) /* of data/; with less the host is not ready */

/* Live jobs. */
#define LIMIT_LIVE_JOBS 100000 /* open at a time */
#define LIMIT_LIVE_CALLS                                                                                                         \
	256 /* of one provider's script that wait for the vendor at a time: each holds memory of the script's state */
#define LIMIT_LIVE_CALL_BYTES (8 * 1024 * 1024) /* of requests in them; a single larger one goes alone */
#define LIMIT_LIVE_BLOCK_MS 86400000		/* that a vendor may want to be left alone */
#define LIMIT_LIVE_LOST_PLACE_SECONDS 600	/* a job of unknown outcome keeps its place at the provider so long */
#define LIMIT_LIVE_LOOK_MS 250			/* between two looks for places that other hosts' jobs have */
#define LIMIT_LIVE_GATE_SECONDS 5		/* held-back jobs look again this often, beside every change of the files */
#define LIMIT_LIVE_RETRY_SECONDS 60		/* the longest pause before a job that was not sent is tried again */
#define LIMIT_LIVE_REFUSED_SECONDS 900	 /* the longest pause after a refusal of the rate that names none: limits may be daily */
#define LIMIT_LIVE_POLL_SECONDS 10	 /* what the pause between two polls grows to, unless the vendor asks for a longer one */
#define LIMIT_LIVE_RARE_POLL_SECONDS 300 /* of a job that is overdue */
#define LIMIT_LIVE_RECONCILE_SECONDS 600 /* what the pause between two looks for a lost job grows to */
#define LIMIT_LIVE_RECONCILE_TRIES 100
#define LIMIT_LIVE_MISSES 3	      /* looks in a row at a complete list that did not have it, */
#define LIMIT_LIVE_ADOPTED_MS 120000  /* and so long after it was another host's */
#define LIMIT_LIVE_MISSES_MS 60000    /* the last of them so long after the submit: then it never arrived */
#define LIMIT_LIVE_IMAGE_SECONDS 3600 /* from the submit on; then the outcome counts as unknown */
#define LIMIT_LIVE_VIDEO_SECONDS 7200
#define LIMIT_LIVE_GPU_SECONDS 90000  /* RunPod keeps a job for a day (contract: ttl) */
#define LIMIT_CALL_REQUESTS 128	      /* that one call of a script may make, answered or not: a list of 30 pages, 50 uploads */
#define LIMIT_PAID_REQUESTS 16	      /* that a script may declare for a job: each is reserved */
#define LIMIT_LIVE_CANCELS 4	      /* requests that are no GET in one call of cancel, */
#define LIMIT_LIVE_JOB_CANCELS 1000   /* and of a job: a runtime that is over is ended again and again */
#define LIMIT_LIVE_JOB_FREE 1000      /* requests of a job that its script marks as free: uploads, mostly */
#define LIMIT_LIVE_JOB_REQUESTS 20000 /* of a job since the start; from then on it is asked for rarely */
#define LIMIT_LIVE_REQUEST_MS 250 /* a job's script rests so long for each request of its last call, whoever asks for the next */
#define LIMIT_LIVE_RECONCILE_MS                                                                                                  \
	86400000 /* after the submit a lost job is no longer looked for by itself: other jobs' ids may be purged */
#define LIMIT_LIVE_WAIT_SECONDS 60 /* Prefer: wait=N */
#define LIMIT_LIVE_ANSWER_MS 15000 /* refresh, cancel, resolve */
#define LIMIT_LIVE_NUDGE_MS 2000   /* between two polls of a job that webhooks ask for which nobody signed */
#define LIMIT_LIVE_WEBHOOKS 16	   /* webhooks waiting for one job; more are left to the poll */

#define LIMIT_OBSERVED_JOBS 50	  /* settled jobs of one provider, model and drivers whose costs are remembered, */
#define LIMIT_OBSERVED_LEAST 3	  /* and so many tell what the next one may cost */
#define LIMIT_OBSERVED_KEYS 2000  /* of those, in memory: half a KiB each */
#define LIMIT_OBSERVED_ROWS 20000 /* of the registry, of all of them */

/* Events. */
#define LIMIT_EVENT_TYPE_BYTES 64	    /* of a type, and of a pattern of types */
#define LIMIT_EVENT_PATTERNS 16		    /* in one filter */
#define LIMIT_EVENT_SCAN 20000		    /* rows of the log that one page looks at; a rare match may take several pages */
#define LIMIT_EVENT_TASK_BYTES (256 * 1024) /* of a task's texts; larger ones are left out of its events */
#define LIMIT_EVENT_BYTES (1024 * 1024)
#define LIMIT_HOST_EVENT_BYTES 65536 /* of what an event of the host carries */
#define LIMIT_JOB_LOG_LINES 5000     /* of one job */
#define LIMIT_EVENT_BATCH 64	     /* read from the log and sent at once */
#define LIMIT_STREAM_QUEUE 64	     /* events waiting for one stream; one that falls behind reads them from the log */
#define LIMIT_STREAM_WRITE_MS 10000  /* for a client to take what is written; then it is dropped, and may resume */
#define LIMIT_STREAM_HEARTBEAT_MS 15000
#define LIMIT_STREAM_LOOK_MS 1000 /* how often a stream looks whether its client is still there, and may be */
#define LIMIT_STREAM_SECONDS 600  /* then it ends, and the client comes again: limits are checked anew */
#define LIMIT_STREAM_RETRY_MS 2000

/* MCP. */
#define LIMIT_MCP_ID_BYTES 256	   /* of a request's id, and of a progress token, as texts: both come back in every answer */
#define LIMIT_MCP_METHOD_BYTES 128 /* a method, a tool's name */
#define LIMIT_MCP_URI_BYTES 256	   /* of a resource of this host: a longer one is none */
#define LIMIT_MCP_NAME_BYTES 1024  /* the header Mcp-Name, decoded */
#define LIMIT_MCP_MESSAGE_BYTES (4 * 1024 * 1024) /* of an answer: a resource in base64, and what stands around it */
#define LIMIT_MCP_RESOURCE_BYTES (1024 * 1024)	  /* a larger file is fetched by its URL */
#define LIMIT_MCP_SUBSCRIPTIONS 64		  /* jobs that one stream tells of */
#define LIMIT_MCP_PROBLEMS 16			  /* arguments that are named in one refusal */
#define LIMIT_MCP_MODEL_BYTES 256		  /* of a model that is asked for */
#define LIMIT_MCP_PROGRESS_MS 8000		  /* who waits hears something so often: clients give up on silence */
#define LIMIT_MCP_URL_SECONDS 3600		  /* a signed URL of an output is good for so long */
#define LIMIT_MCP_PREVIEW_BYTES (256 * 1024)	  /* a larger picture is no preview */

/* providerd mcp. */
#define LIMIT_BRIDGE_LINE_BYTES (16 * 1024 * 1024)
#define LIMIT_BRIDGE_CALLS 64		/* at once; more are refused */
#define LIMIT_BRIDGE_SILENCE_SECONDS 90 /* from a host that is to answer: a wait takes 50, a stream is never silent for so long */
#define LIMIT_BRIDGE_END_MS 1000	/* after the end of its input, for answers that are on their way */

/* The smoke test (providerd check). */
#define LIMIT_CHECK_CONNECT_MS 5000
#define LIMIT_CHECK_ANSWER_MS 60000 /* one request; a host waits LIMIT_CALL_WAIT_MS for a script */
#define LIMIT_CHECK_ANSWER_BYTES (64 * 1024 * 1024)
#define LIMIT_CHECK_SILENCES 3	     /* requests in a row without an answer, then it gives up */
#define LIMIT_CHECK_LIST_PAGES 20    /* of the job list, looked through for one job */
#define LIMIT_CHECK_DETAIL_BYTES 640 /* of what one check says */
#define LIMIT_CHECK_SOCKETS 65536    /* of the host, looked through for connections */

/* Files that stand in for a vendor's (media/). */
#define LIMIT_MEDIA_SIDE 4096 /* pixels */
#define LIMIT_MEDIA_SECONDS 60
#define LIMIT_MEDIA_LINES 12
#define LIMIT_MEDIA_LINE_CHARACTERS 160
#define LIMIT_MEDIA_TEXT_ROWS 48 /* that the lines are broken into */
#define LIMIT_MEDIA_COMMENT_BYTES 4096

/* The vendor simulator (providerd simulate). */
#define LIMIT_SIM_THREADS 192 /* held requests (synchronous vendors) take one each */
#define LIMIT_SIM_BODY_BYTES (64 * 1024 * 1024)
#define LIMIT_SIM_BODY_SECONDS 60
#define LIMIT_SIM_ANSWER_BYTES (64 * 1024 * 1024)
#define LIMIT_SIM_HEAD_BYTES 16384 /* of an answer */
#define LIMIT_SIM_FAULTS 64	   /* --fault options */
#define LIMIT_SIM_VENDORS 64	   /* lua/sim/ */
#define LIMIT_SIM_HOSTS 512	   /* that they answer for, all together */
#define LIMIT_SIM_JOURNAL 2000000  /* requests remembered; later ones are only counted */
#define LIMIT_SIM_JOURNAL_BYTES (1024 * 1024 * 1024)
#define LIMIT_SIM_DELIVERIES 100000		    /* webhooks waiting to be sent */
#define LIMIT_SIM_DELIVERY_MS 5000		    /* one of them */
#define LIMIT_SIM_MEMORY_BYTES (1024 * 1024 * 1024) /* of the vendor scripts: their jobs live there */
#define LIMIT_SIM_CPU_MS 10000			    /* one request */
#define LIMIT_SIM_LATENCY_MS 600000

/* Texts of the secrets file that were exchanged and whose values are still masked: a rotation each, over the life of a process. */
#define LIMIT_RETIRED_SECRETS 8
