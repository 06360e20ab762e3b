/* config_excerpt.h - a line of the configuration as it may be shown. */
#pragma once

/* The line with "***" for every text that is a value, and for whatever else is no JSON: an operator may have put a credential where it does not belong,
 * which is why no message quotes the file either. Names, numbers, true, false and null stay. To be free()d; NULL: out of memory. Any thread. */
char *config_excerpt_line(const char *line);
