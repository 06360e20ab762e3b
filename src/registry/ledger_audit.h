/* ledger_audit.h - the thread that compares the sums of `budget` with the ledger, at the start and each hour. */
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "registry/store.h"

struct ledger_audit {
	struct task_store *store;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* guards `stopping` */
	pthread_cond_t wake;
	bool stopping;
	struct store_write repair;
	sem_t written;
	_Atomic uint64_t differences; /* found since the start */
};

/* After the store's reading and writing is open; until it is closed both go on. ERROR_IO: there is no thread. */
enum error_code ledger_audit_open(struct ledger_audit *audit, struct task_store *store, struct error *error);
void ledger_audit_close(struct ledger_audit *audit);
