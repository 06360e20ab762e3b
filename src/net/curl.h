/* curl.h - libcurl, loaded when it is first needed.
 *
 * libcurl brings some thirty libraries along. Linked in, they cost an idle host 6 MB: half in pages of their own, half because the
 * thread-local storage they reserve gives each of 512 threads one more page of stack. A host that only makes dry runs never calls it. So
 * this header stands in for <curl/curl.h>: the same names, reached through a table that curl_load() fills. */
#pragma once

#include <stdbool.h>

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt
#undef curl_share_setopt

#define CURL_FUNCTIONS(F)                                                                                                        \
	F(curl_global_init_mem)                                                                                                  \
	F(curl_free)                                                                                                             \
	F(curl_easy_init)                                                                                                        \
	F(curl_easy_setopt)                                                                                                      \
	F(curl_easy_reset)                                                                                                       \
	F(curl_easy_perform)                                                                                                     \
	F(curl_easy_getinfo)                                                                                                     \
	F(curl_easy_strerror)                                                                                                    \
	F(curl_easy_cleanup)                                                                                                     \
	F(curl_slist_append)                                                                                                     \
	F(curl_slist_free_all)                                                                                                   \
	F(curl_mime_init)                                                                                                        \
	F(curl_mime_addpart)                                                                                                     \
	F(curl_mime_name)                                                                                                        \
	F(curl_mime_data)                                                                                                        \
	F(curl_mime_filename)                                                                                                    \
	F(curl_mime_type)                                                                                                        \
	F(curl_mime_free)                                                                                                        \
	F(curl_multi_init)                                                                                                       \
	F(curl_multi_setopt)                                                                                                     \
	F(curl_multi_add_handle)                                                                                                 \
	F(curl_multi_remove_handle)                                                                                              \
	F(curl_multi_socket_action)                                                                                              \
	F(curl_multi_perform)                                                                                                    \
	F(curl_multi_poll)                                                                                                       \
	F(curl_multi_info_read)                                                                                                  \
	F(curl_multi_cleanup)                                                                                                    \
	F(curl_share_init)                                                                                                       \
	F(curl_share_setopt)                                                                                                     \
	F(curl_share_cleanup)                                                                                                    \
	F(curl_url)                                                                                                              \
	F(curl_url_set)                                                                                                          \
	F(curl_url_get)                                                                                                          \
	F(curl_url_cleanup)

#define CURL_MEMBER(name) __typeof__(name) *name##_;
struct curl_table {
	CURL_FUNCTIONS(CURL_MEMBER)
};
#undef CURL_MEMBER

extern struct curl_table curl_table;

/* Loads and initialises libcurl; later calls do nothing. False when it is not installed. Before any other name of this header is used; any
 * thread. */
bool curl_load(void);

#ifndef CURL_TABLE_ITSELF
#define curl_free curl_table.curl_free_
#define curl_easy_init curl_table.curl_easy_init_
#define curl_easy_setopt curl_table.curl_easy_setopt_
#define curl_easy_reset curl_table.curl_easy_reset_
#define curl_easy_perform curl_table.curl_easy_perform_
#define curl_easy_getinfo curl_table.curl_easy_getinfo_
#define curl_easy_strerror curl_table.curl_easy_strerror_
#define curl_easy_cleanup curl_table.curl_easy_cleanup_
#define curl_slist_append curl_table.curl_slist_append_
#define curl_slist_free_all curl_table.curl_slist_free_all_
#define curl_mime_init curl_table.curl_mime_init_
#define curl_mime_addpart curl_table.curl_mime_addpart_
#define curl_mime_name curl_table.curl_mime_name_
#define curl_mime_data curl_table.curl_mime_data_
#define curl_mime_filename curl_table.curl_mime_filename_
#define curl_mime_type curl_table.curl_mime_type_
#define curl_mime_free curl_table.curl_mime_free_
#define curl_multi_init curl_table.curl_multi_init_
#define curl_multi_setopt curl_table.curl_multi_setopt_
#define curl_multi_add_handle curl_table.curl_multi_add_handle_
#define curl_multi_remove_handle curl_table.curl_multi_remove_handle_
#define curl_multi_socket_action curl_table.curl_multi_socket_action_
#define curl_multi_perform curl_table.curl_multi_perform_
#define curl_multi_poll curl_table.curl_multi_poll_
#define curl_multi_info_read curl_table.curl_multi_info_read_
#define curl_multi_cleanup curl_table.curl_multi_cleanup_
#define curl_share_init curl_table.curl_share_init_
#define curl_share_setopt curl_table.curl_share_setopt_
#define curl_share_cleanup curl_table.curl_share_cleanup_
#define curl_url curl_table.curl_url_
#define curl_url_set curl_table.curl_url_set_
#define curl_url_get curl_table.curl_url_get_
#define curl_url_cleanup curl_table.curl_url_cleanup_
#endif
