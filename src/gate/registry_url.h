/* registry_url.h - `registry.url` as people may see it. */
#pragma once

/* Why the text names no registry, or NULL. What stands behind the scheme is the database's to read (database/database.h). */
const char *registry_url_refuse(const char *text);

/* A copy without its passwords; free() it. */
char *registry_url_mask(const char *text);
