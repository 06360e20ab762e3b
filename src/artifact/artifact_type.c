/* artifact_type.c - tells files apart by how they begin, and cleans types and names that strangers gave. Any thread. */
#include "artifact/artifact_type.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct magic {
	size_t offset;
	const char *bytes;
	size_t length;
	const char *type;
};

/* The first that fits. Containers come with what they contain. */
static const struct magic magics[] = {
	{ 0, "\x89PNG\r\n\x1a\n", 8, "image/png" },
	{ 0, "\xff\xd8\xff", 3, "image/jpeg" },
	{ 0, "GIF87a", 6, "image/gif" },
	{ 0, "GIF89a", 6, "image/gif" },
	{ 8, "WEBPVP8", 7, "image/webp" },
	{ 8, "WAVEfmt ", 8, "audio/wav" },
	{ 4, "ftypavif", 8, "image/avif" },
	{ 4, "ftypheic", 8, "image/heic" },
	{ 4, "ftypM4A ", 8, "audio/mp4" },
	{ 4, "ftypqt  ", 8, "video/quicktime" },
	{ 4, "ftyp", 4, "video/mp4" },
	{ 0, "\x1a\x45\xdf\xa3", 4, "video/webm" },
	{ 0, "ID3", 3, "audio/mpeg" },
	{ 0, "OggS", 4, "audio/ogg" },
	{ 0, "fLaC", 4, "audio/flac" },
	{ 0, "glTF", 4, "model/gltf-binary" },
	{ 0, "%PDF-", 5, "application/pdf" },
	{ 0, "PK\x03\x04", 4, "application/zip" },
};

static const char *const extensions[][2] = {
	{ "image/png", "png" },
	{ "image/jpeg", "jpg" },
	{ "image/gif", "gif" },
	{ "image/webp", "webp" },
	{ "image/avif", "avif" },
	{ "image/heic", "heic" },
	{ "image/svg+xml", "svg" },
	{ "video/mp4", "mp4" },
	{ "video/quicktime", "mov" },
	{ "video/webm", "webm" },
	{ "video/x-matroska", "mkv" },
	{ "audio/wav", "wav" },
	{ "audio/mpeg", "mp3" },
	{ "audio/mp4", "m4a" },
	{ "audio/ogg", "ogg" },
	{ "audio/flac", "flac" },
	{ "model/gltf-binary", "glb" },
	{ "application/pdf", "pdf" },
	{ "application/zip", "zip" },
	{ "application/json", "json" },
	{ "text/plain", "txt" },
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static bool mpeg_frame(const unsigned char *head, size_t length)
{
	return length >= 2 && head[0] == 0xff && (head[1] & 0xe6) == 0xe2; /* layer III */
}

static const char *proven_type(const unsigned char *head, size_t length)
{
	for (size_t i = 0; i < COUNT(magics); i++)
		if (length >= magics[i].offset + magics[i].length &&
			memcmp(head + magics[i].offset, magics[i].bytes, magics[i].length) == 0)
			return magics[i].type;
	return mpeg_frame(head, length) ? "audio/mpeg" : NULL;
}

/* JSON begins with a bracket; text has no control bytes. */
static const char *likely_type(const unsigned char *head, size_t length)
{
	size_t blank = 0;

	for (size_t i = 0; i < length; i++)
		if ((head[i] < ' ' && strchr("\t\n\r\f\x1b", head[i]) == NULL) || head[i] == '\0' || head[i] == 0x7f)
			return "application/octet-stream";
	while (blank < length && isspace(head[blank]))
		blank++;
	return blank < length && (head[blank] == '{' || head[blank] == '[') ? "application/json" : "text/plain";
}

static bool is_token_byte(char byte)
{
	return isalnum((unsigned char)byte) || (byte != '\0' && strchr("!#$&^_.+-", byte) != NULL);
}

/* "Image/PNG; x=y" as "image/png". False for what is no type, or says nothing. */
static bool clean_type(const char *text, char type[ARTIFACT_TYPE_BYTES])
{
	static const char *const nothing[] = { "application/octet-stream", "binary/octet-stream", "application/x-download",
		"application/force-download", "application/unknown" };
	size_t length = 0, slashes = 0;

	if (text == NULL)
		return false;
	for (text += strspn(text, " \t"); length < ARTIFACT_TYPE_BYTES - 1; text++) {
		if (*text == '/')
			slashes++;
		else if (!is_token_byte(*text))
			break;
		type[length++] = (char)tolower((unsigned char)*text);
	}
	type[length] = '\0';
	if (slashes != 1 || type[0] == '/' || type[length - 1] == '/' || strchr("; \t", *text) == NULL)
		return false;
	for (size_t i = 0; i < COUNT(nothing); i++)
		if (strcmp(type, nothing[i]) == 0)
			return false;
	return true;
}

void artifact_type_choose(
	const char *given, const char *header, const unsigned char *head, size_t length, char type[ARTIFACT_TYPE_BYTES])
{
	const char *proven = proven_type(head, length);
	bool declared = clean_type(given, type) || clean_type(header, type);

	/* The same container may be named more closely than its first bytes can tell: audio/webm. */
	if (proven != NULL && !(declared && strcmp(strchr(type, '/'), strchr(proven, '/')) == 0))
		snprintf(type, ARTIFACT_TYPE_BYTES, "%s", proven);
	else if (!declared)
		snprintf(type, ARTIFACT_TYPE_BYTES, "%s", likely_type(head, length));
}

static const char *extension_of(const char *type)
{
	for (size_t i = 0; i < COUNT(extensions); i++)
		if (strcmp(extensions[i][0], type) == 0)
			return extensions[i][1];
	return "bin";
}

/* Copies the last part of a path, cleaned. A name cut in the middle of a UTF-8 sequence would not be text any more. */
static size_t clean_name(const char *path, size_t path_length, char name[LIMIT_ARTIFACT_NAME_BYTES])
{
	size_t start = path_length, length = 0;

	while (start > 0 && path[start - 1] != '/' && path[start - 1] != '\\')
		start--;
	for (; start < path_length && length < LIMIT_ARTIFACT_NAME_BYTES - 1; start++)
		if ((unsigned char)path[start] >= ' ' && path[start] != 0x7f && strchr("\"<>|:*?%", path[start]) == NULL)
			name[length++] = path[start];
	if (start < path_length)
		while (length > 0 && ((unsigned char)name[length - 1] & 0x80) != 0)
			length--;
	name[length] = '\0';
	return strspn(name, ". ") == length ? 0 : length;
}

void artifact_type_name(const char *wanted, const char *url, int n, const char *type, char name[LIMIT_ARTIFACT_NAME_BYTES])
{
	const char *path = url != NULL ? strstr(url, "://") : NULL;

	if (wanted != NULL && clean_name(wanted, strlen(wanted), name) > 0)
		return;
	path = path != NULL ? strchr(path + 3, '/') : NULL;
	if (path != NULL && clean_name(path, strcspn(path, "?#"), name) > 0 && strchr(name, '.') != NULL)
		return;
	snprintf(name, LIMIT_ARTIFACT_NAME_BYTES, "artifact-%d.%s", n, extension_of(type));
}
