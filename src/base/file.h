/* SPDX-License-Identifier: Apache-2.0 */
/* Files: streaming readers, and writers that appear whole or not at all. */
#ifndef JM_BASE_FILE_H
#define JM_BASE_FILE_H

#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "joulemap/joulemap.h"

#define JM_PATH_MAX 4096

/* Joins two parts with '/'; JM_EINVAL when the result is too long. */
int jm_path_join(char ret_path[JM_PATH_MAX], const char *folder, const char *name,
	struct jm_error *reterr);

/* Borrowed: what follows the last '/'. */
const char *jm_path_name(const char *path);

/* 1 when the path is there (and is a folder), 0 when not. */
int jm_path_exists(const char *path);
int jm_path_is_folder(const char *path);

/* Makes a folder and its parents. 0, or the error of mkdir. */
int jm_folder_make(const char *path, struct jm_error *reterr);

/*
 * Makes a folder that was not there before: FOLDER/STEM, else FOLDER/STEM.2 and
 * so on. One that is there and empty is taken, too.
 */
int jm_folder_make_new(const char *folder, const char *stem, char ret_path[JM_PATH_MAX],
	struct jm_error *reterr);

/*
 * Reads a whole file. *ret_data is freed with free(), has *ret_size bytes and
 * a '\0' behind them. JM_EFORMAT when it is longer than `max` bytes.
 */
int jm_file_read(const char *path, size_t max, char **ret_data, size_t *ret_size,
	struct jm_error *reterr);

/* Writes `size` bytes by temporary name and rename. */
int jm_file_write(const char *path, const void *data, size_t size, struct jm_error *reterr);

/* Waits until a file's (or a folder's) content is on the disk itself. */
int jm_file_sync(const char *path, struct jm_error *reterr);

/* ---- Streaming reader ------------------------------------------------------ */

/*
 * Reads a file of any length through one buffer. `data[position..end)` is what
 * can be looked at; jm_reader_fill shifts it to the front and reads on.
 */
struct jm_reader {
	int fd;
	int at_end; /* nothing follows data[end) */
	char *data; /* [capacity] */
	size_t capacity;
	size_t position;
	size_t end;
	uint64_t offset;  /* of data[0] in the file */
	char line_end;    /* '\r' where that alone ends lines; 0: "\n" or "\r\n" */
	const char *path; /* borrowed until close */
};

int jm_reader_open(struct jm_reader *reader, const char *path, struct jm_error *reterr);
/* Reads memory instead of a file; `data` is borrowed until close. */
void jm_reader_open_memory(
	struct jm_reader *reader, const char *name, const void *data, size_t size);
/* Accepts a zeroed or closed reader. */
void jm_reader_close(struct jm_reader *reader);

/*
 * Makes more data visible; the unread part stays, the buffer grows when it is
 * full of unread data. Returns 1 when there is more, 0 at the end, or an error.
 */
int jm_reader_fill(struct jm_reader *reader, struct jm_error *reterr);

/*
 * Next line without its end (line_end), borrowed until the next call.
 * Returns 1, 0 at the end, JM_EFORMAT for a line of more than 1 MiB.
 */
int jm_reader_line(struct jm_reader *reader, const char **ret_line, size_t *ret_length,
	struct jm_error *reterr);

/* ---- Buffered writer --------------------------------------------------------- */

/*
 * Writes to a temporary file beside `path`, which takes its place on commit, once
 * its data is on the disk. Where the file system can, the temporary file has no
 * name until then, so that nothing is left of it whatever ends the process.
 * The first failure sticks: later calls do nothing and commit reports it.
 */
struct jm_writer {
	int fd;
	int nameless; /* the temporary file */
	int failed;   /* enum jm_code of the first failure, or 0 */
	int failed_errno;
	char *data; /* [JM_WRITER_CAPACITY] */
	size_t used;
	uint64_t written; /* bytes already with the system */
	char path[JM_PATH_MAX];
	char temporary[JM_PATH_MAX];
};

#define JM_WRITER_CAPACITY ((size_t)1 << 20)

int jm_writer_open(struct jm_writer *writer, const char *path, struct jm_error *reterr);
void jm_writer_put(struct jm_writer *writer, const void *data, size_t size);
void jm_writer_text(struct jm_writer *writer, const char *text);
void jm_writer_format(struct jm_writer *writer, const char *format, ...) JM_PRINTF(2, 3);
/* Room for `size` (<= JM_WRITER_CAPACITY) bytes to fill; NULL after a failure. */
char *jm_writer_reserve(struct jm_writer *writer, size_t size);
/* Says how much of the reserved room was used. */
void jm_writer_advance(struct jm_writer *writer, size_t size);
/* Flushes, renames, closes. On failure the temporary file is gone. */
int jm_writer_commit(struct jm_writer *writer, struct jm_error *reterr);
/* Throws away what was written. Accepts a zeroed or committed writer. */
void jm_writer_abandon(struct jm_writer *writer);

#endif
