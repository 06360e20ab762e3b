/* driver.h - what a driver of this folder is: one struct of functions for connections, one for statements. database.c calls them; what they mean is
 * said in database.h. */
#pragma once

#include "database/database.h"

struct driver {
	const char *scheme; /* of its URLs, with the colon */
	bool is_shared;

	/* Which of the two texts is its own. */
	const char *(*dialect)(const struct sql *text);

	/* Fills in `name` and what the driver needs to connect. */
	enum error_code (*find)(const char *home, const char *url, struct database_place *place, struct error *error);

	enum error_code (*open)(
		const struct database_place *place, enum database_use use, struct database **database, struct error *error);
	void (*close)(struct database *database);
	bool (*is_connected)(const struct database *database);
	enum error_code (*connect)(struct database *database, struct error *error);
	enum error_code (*error)(struct database *database, const char *action, struct error *error);
	bool (*is_lost)(struct database *database);
	bool (*lacks_memory)(struct database *database);
	enum error_code (*version)(struct database *database, struct database_version *version, struct error *error);
	enum database_result (*set_version)(struct database *database, const struct database_version *version);

	enum database_result (*begin)(struct database *database, bool synced);
	enum database_result (*commit)(struct database *database);
	void (*rollback)(struct database *database);
	bool (*in_transaction)(struct database *database);
	enum database_result (*settle)(struct database *database);
	void (*fence)(struct database *database, int64_t host); /* NULL, both: nobody else writes */
	bool (*is_fenced)(struct database *database);
	enum database_result (*begin_reading)(struct database *database);
	void (*end_reading)(struct database *database);
	int64_t (*tend)(struct database *database, bool idle);
	enum database_result (*execute)(struct database *database, const char *text);
	void (*give)(struct database *database, const struct given_rows *rows); /* NULL: there is no such table */

	enum error_code (*prepare)(
		struct database *database, const struct sql *text, struct statement **statement, struct error *error);
	/* NULL, or: do the statements that were prepared last stand? So that nobody waits for each of them. */
	enum error_code (*prepared)(struct database *database, struct error *error);
	void (*finalize)(struct statement *statement);
	void (*bind_integer)(struct statement *statement, int index, int64_t value);
	void (*bind_real)(struct statement *statement, int index, double value);
	void (*bind_text)(struct statement *statement, int index, const char *text);
	void (*bind_bytes)(struct statement *statement, int index, const void *bytes, size_t length);
	void (*bind_null)(struct statement *statement, int index);
	void (*bind_owned)(struct statement *statement, int index, char *text);
	void (*bind_copy)(struct statement *statement, int index, const void *bytes, size_t length);
	enum database_result (*step)(struct statement *statement);
	void (*reset)(struct statement *statement);
	int64_t (*integer)(struct statement *statement, int column);
	double (*real)(struct statement *statement, int column);
	const char *(*text)(struct statement *statement, int column);
	const void *(*bytes)(struct statement *statement, int column, size_t *length);
	bool (*is_null)(struct statement *statement, int column);
	enum database_result (*run)(struct statement *statement);
	enum database_result (*find_later)(struct statement *statement, int64_t *value); /* NULL: there is no later */
	enum database_result (*change)(struct statement *statement, int64_t *changed);
};

/* First in a driver's own struct. */
struct database {
	const struct driver *driver;
	const struct database_place *place;
	unsigned connections; /* that were made */
};

struct statement {
	const struct driver *driver;
	struct database *database;
};

struct database_place {
	const struct driver *driver;
	char *name; /* for people */
	char *path; /* SQLite: the file, else NULL */
	char *url;  /* PostgreSQL: with its password */
};

extern const struct driver sqlite_driver;
extern const struct driver postgres_driver;
