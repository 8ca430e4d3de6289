/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text_kind.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"

/* As much of a text as is looked at. */
#define LOOK_BYTES ((size_t)4096)

#define UTF16 "in UTF-16, not in UTF-8"
#define CONVERT "convert it with 'iconv -f UTF-16 -t UTF-8'"

static const struct {
	const char *begin;
	size_t length;
	const char *what;
	const char *remedy;
} kinds[] = {
	{"\xff\xfe\0\0", 4, "in UTF-32, not in UTF-8",
		"convert it with 'iconv -f UTF-32 -t UTF-8'"},
	{"\0\0\xfe\xff", 4, "in UTF-32, not in UTF-8",
		"convert it with 'iconv -f UTF-32 -t UTF-8'"},
	{"\xff\xfe", 2, UTF16, CONVERT},
	{"\xfe\xff", 2, UTF16, CONVERT},
	{"\x1f\x8b", 2, "compressed by gzip", "unpack it with 'gunzip'"},
	{"\x28\xb5\x2f\xfd", 4, "compressed by zstd", "unpack it with 'unzstd'"},
	{"\xfd"
	 "7zXZ",
		5, "compressed by xz", "unpack it with 'unxz'"},
	{"BZh", 3, "compressed by bzip2", "unpack it with 'bunzip2'"},
	{"PK\3\4", 4, "a zip archive or a spreadsheet", "unpack it, or export it as text"},
	{"version https://git-lfs.github.com/spec/", 40,
		"only the pointer of Git LFS to the file", "fetch it with 'git lfs pull'"},
	{"Traceback (most recent call last)", 33, "the error message of a Python program",
		"see what it says, and run that program again"},
	{"<!DOCTYPE", 9, "a page of the web", "download the file itself"},
	{"<html", 5, "a page of the web", "download the file itself"},
	{"%PDF-", 5, "a PDF document", "export it as text"},
};

/* Letters with a zero before or behind each, without a mark. */
static int is_wide(const char *text, size_t size)
{
	for (size_t first = 0; first < 2; first++)
		if (size >= 4 && text[first] && !text[!first] && text[first + 2] &&
			!text[2 + !first])
			return 1;
	return 0;
}

/* The text that DVC keeps in git has "outs:" and a checksum, a line each. */
static int is_dvc(const char *text, size_t size)
{
	char look[LOOK_BYTES / 8 + 2] = "\n";
	size_t n = size < sizeof(look) - 2 ? size : sizeof(look) - 2;

	memcpy(look + 1, text, n);
	look[n + 1] = '\0';
	return strstr(look, "\nouts:") != NULL && strstr(look, "md5: ") != NULL;
}

static int fail(const char *name, const char *what, const char *remedy, struct jm_error *reterr)
{
	return jm_fail(reterr, JM_EFORMAT, "'%s' is %s: %s", name, what, remedy);
}

/* Tags are written in either case. */
static int begins(const char *text, size_t size, const char *begin, size_t length)
{
	if (size < length)
		return 0;
	return begin[0] == '<' ? strncasecmp(text, begin, length) == 0
			       : memcmp(text, begin, length) == 0;
}

int jm_text_begin(const char *name, const char *text, size_t size, struct jm_error *reterr)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (begins(text, size, kinds[i].begin, kinds[i].length))
			return fail(name, kinds[i].what, kinds[i].remedy, reterr);
	if (is_wide(text, size))
		return fail(name, UTF16, CONVERT, reterr);
	if (is_dvc(text, size))
		return fail(name, "only the pointer of DVC to the file",
			"fetch it with 'dvc pull'", reterr);
	return begins(text, size, "\xef\xbb\xbf", 3) ? 3 : 0;
}

int jm_reader_begin_text(struct jm_reader *reader, struct jm_error *reterr)
{
	const char *text;
	size_t size;
	int result = 1;

	while (result > 0 && reader->end - reader->position < LOOK_BYTES)
		result = jm_reader_fill(reader, reterr);
	if (result < 0)
		return result;
	text = reader->data + reader->position;
	size = reader->end - reader->position;
	result = size ? jm_text_begin(reader->path, text, size, reterr) : 0;
	if (result < 0)
		return result;
	if (memchr(text, '\r', size) && !memchr(text, '\n', size))
		reader->line_end = '\r';
	reader->position += (size_t)result;
	return 0;
}
