/* SPDX-License-Identifier: Apache-2.0 */
#include "run/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <zlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#define FILE_MAGIC "JMSPOOL1"
#define FILE_MAGIC_SIZE 8u
#define BLOCK_MAGIC 0x4b4c424au /* "JBLK" in little endian */
#define BLOCK_MAGIC_SWAPPED 0x4a424c4bu
#define BLOCK_MAX ((size_t)1 << 16)   /* records are gathered up to this */
#define PAYLOAD_MAX ((size_t)1 << 28) /* more is no block */
#define SYNC_NS INT64_C(1000000000)

struct header {
	uint32_t magic;
	uint32_t type;
	uint32_t size;
	uint32_t crc;
};

static uint32_t checksum(const struct header *header, const void *payload)
{
	uLong crc = crc32(0L, (const Bytef *)&header->type, 2 * sizeof(uint32_t));

	return (uint32_t)(header->size ? crc32(crc, payload, header->size) : crc);
}

/* ---- Writing --------------------------------------------------------------- */

/* Writes all of it. 0 or errno; part of it may be in the file then. */
static int write_all(int fd, struct iovec *parts, int n)
{
	while (n) {
		ssize_t written = writev(fd, parts, n);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return errno;
		if (written == 0)
			return EIO;
		while (n && (size_t)written >= parts->iov_len) {
			written -= (ssize_t)parts->iov_len;
			parts++;
			n--;
		}
		if (n) {
			parts->iov_base = (char *)parts->iov_base + written;
			parts->iov_len -= (size_t)written;
		}
	}
	return 0;
}

int jm_spool_create(struct jm_spool_writer *spool, const char *path, struct jm_error *reterr)
{
	int sys_errno;

	memset(spool, 0, sizeof(*spool));
	spool->fd = -1;
	if (strlen(path) >= sizeof(spool->path))
		return jm_fail(reterr, JM_EINVAL, "path '%.60s...' is too long", path);
	jm_text_copy(spool->path, sizeof(spool->path), path);
	spool->data = malloc(BLOCK_MAX);
	if (!spool->data)
		return jm_fail_memory(reterr, "a spool");
	spool->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (spool->fd >= 0) {
		struct iovec magic = {(void *)(uintptr_t)FILE_MAGIC, FILE_MAGIC_SIZE};

		sys_errno = write_all(spool->fd, &magic, 1);
		spool->written = FILE_MAGIC_SIZE;
		if (!sys_errno)
			return 0;
		close(spool->fd);
		spool->fd = -1;
	} else {
		sys_errno = errno;
	}
	free(spool->data);
	spool->data = NULL;
	return jm_fail_errno(reterr, sys_errno, "cannot write '%s'", path);
}

/* Starts writing back, without waiting, what a loss of power would take. */
static void start_sync(struct jm_spool_writer *spool, int64_t now_ns)
{
	if (now_ns - spool->last_sync_ns < SYNC_NS)
		return;
	spool->last_sync_ns = now_ns;
#ifdef SYNC_FILE_RANGE_WRITE
	(void)sync_file_range(spool->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
#endif
}

/* Writes one block, or leaves the file as it was. */
static int write_block(struct jm_spool_writer *spool, uint32_t type, const void *payload,
	size_t size, int64_t now_ns, struct jm_error *reterr)
{
	struct header header = {BLOCK_MAGIC, type, (uint32_t)size, 0};
	struct iovec parts[2] = {{&header, sizeof(header)}, {(void *)(uintptr_t)payload, size}};
	int sys_errno;

	header.crc = checksum(&header, payload);
	sys_errno = write_all(spool->fd, parts, 2);
	spool->last_flush_ns = now_ns;
	if (sys_errno) {
		/* Takes back a torn block; if that fails too, readers drop it. */
		if (ftruncate(spool->fd, (off_t)spool->written) == 0)
			lseek(spool->fd, (off_t)spool->written, SEEK_SET);
		return sys_errno == ENOSPC || sys_errno == EDQUOT
			       ? jm_fail(reterr, JM_ENOSPC,
					 "no space left writing '%s': what was measured so far "
					 "is kept; "
					 "free some space and run 'joulemap recover'",
					 spool->path)
			       : jm_fail_errno(
					 reterr, sys_errno, "cannot write '%s'", spool->path);
	}
	spool->written += sizeof(header) + size;
	start_sync(spool, now_ns);
	return 0;
}

int jm_spool_flush(struct jm_spool_writer *spool, int64_t now_ns, struct jm_error *reterr)
{
	int result;

	if (!spool->used)
		return 0;
	result = write_block(spool, spool->type, spool->data, spool->used, now_ns, reterr);
	if (result == 0)
		spool->used = 0;
	return result;
}

int jm_spool_put(struct jm_spool_writer *spool, enum jm_spool_type type, const void *record,
	size_t size, int64_t now_ns, struct jm_error *reterr)
{
	int is_text = type == JM_SPOOL_META || type == JM_SPOOL_GRAPH || type == JM_SPOOL_END;
	int result = 0;

	if (size > PAYLOAD_MAX)
		return jm_fail(reterr, JM_EINVAL, "a record of %zu bytes is too long for '%s'",
			size, spool->path);
	if (is_text || spool->type != (uint32_t)type || BLOCK_MAX - spool->used < size)
		result = jm_spool_flush(spool, now_ns, reterr);
	if (result < 0)
		return result;
	spool->type = (uint32_t)type;
	if (is_text || size > BLOCK_MAX) /* a block of its own */
		return write_block(spool, spool->type, record, size, now_ns, reterr);
	memcpy(spool->data + spool->used, record, size);
	spool->used += size;
	if (now_ns - spool->last_flush_ns < JM_SPOOL_FLUSH_NS)
		return 0;
	return jm_spool_flush(spool, now_ns, reterr);
}

int jm_spool_close(struct jm_spool_writer *spool, struct jm_error *reterr)
{
	int result = 0;

	if (!spool->data)
		return 0;
	result = jm_spool_flush(spool, spool->last_flush_ns, reterr);
	if (close(spool->fd) != 0 && result == 0)
		result = jm_fail_errno(reterr, errno, "cannot write '%s'", spool->path);
	free(spool->data);
	spool->data = NULL;
	spool->fd = -1;
	return result;
}

/* ---- Reading --------------------------------------------------------------- */

/* Makes `size` bytes visible. 1, 0 when the file ends before, or an error. */
static int make_visible(struct jm_reader *reader, size_t size, struct jm_error *reterr)
{
	while (reader->end - reader->position < size) {
		int result = jm_reader_fill(reader, reterr);

		if (result <= 0)
			return result;
	}
	return 1;
}

struct blocks {
	struct jm_reader *reader;
	char *payload; /* a copy that is aligned for any record */
	size_t capacity;
	uint64_t good; /* bytes up to the end of the last whole block */
};

static int fail_foreign(const struct blocks *blocks, struct jm_error *reterr)
{
	return jm_fail(reterr, JM_EUNSUPPORTED,
		"'%s' was written on a machine of the other byte order: read it there",
		blocks->reader->path);
}

static int make_payload_room(struct blocks *blocks, size_t size, struct jm_error *reterr)
{
	char *larger;

	if (size <= blocks->capacity)
		return 0;
	larger = realloc(blocks->payload, size);
	if (!larger)
		return jm_fail_memory(reterr, "a block of a spool");
	blocks->payload = larger;
	blocks->capacity = size;
	return 0;
}

/* Reads one block. 1, 0 where no whole block is, or an error. */
static int read_block(struct blocks *blocks, struct header *ret_header, struct jm_error *reterr)
{
	struct jm_reader *reader = blocks->reader;
	int result = make_visible(reader, sizeof(*ret_header), reterr);

	if (result <= 0)
		return result;
	memcpy(ret_header, reader->data + reader->position, sizeof(*ret_header));
	if (ret_header->magic == BLOCK_MAGIC_SWAPPED && blocks->good == FILE_MAGIC_SIZE)
		return fail_foreign(blocks, reterr);
	if (ret_header->magic != BLOCK_MAGIC || ret_header->size > PAYLOAD_MAX)
		return 0;
	result = make_visible(reader, sizeof(*ret_header) + ret_header->size, reterr);
	if (result <= 0)
		return result;
	if (ret_header->crc !=
		checksum(ret_header, reader->data + reader->position + sizeof(*ret_header)))
		return 0;
	result = make_payload_room(blocks, ret_header->size + 1, reterr);
	if (result < 0)
		return result;
	memcpy(blocks->payload, reader->data + reader->position + sizeof(*ret_header),
		ret_header->size);
	reader->position += sizeof(*ret_header) + ret_header->size;
	blocks->good += sizeof(*ret_header) + ret_header->size;
	return 1;
}

/* Reads the file's first bytes. 1, 0 when even they are torn, or an error. */
static int read_magic(struct jm_reader *reader, struct jm_error *reterr)
{
	int result = make_visible(reader, FILE_MAGIC_SIZE, reterr);
	size_t n = reader->end - reader->position;

	if (result < 0)
		return result;
	if (n > FILE_MAGIC_SIZE)
		n = FILE_MAGIC_SIZE;
	if (n && memcmp(reader->data + reader->position, FILE_MAGIC, n) != 0)
		return jm_fail(
			reterr, JM_EFORMAT, "'%s' is no spool of joulemap", reader->path);
	if (result == 1)
		reader->position += FILE_MAGIC_SIZE;
	return result;
}

/* Counts what is left of the file. */
static int count_rest(struct blocks *blocks, uint64_t *ret_bytes, struct jm_error *reterr)
{
	struct jm_reader *reader = blocks->reader;
	int result;

	do {
		reader->position = reader->end;
		result = jm_reader_fill(reader, reterr);
	} while (result > 0);
	*ret_bytes = reader->offset + reader->end - blocks->good;
	return result;
}

static int read_blocks(struct jm_reader *reader, jm_spool_block_fn *block, void *context,
	struct jm_spool_report *report, struct jm_error *reterr)
{
	struct blocks blocks = {.reader = reader};
	struct header header;
	int result = read_magic(reader, reterr);

	if (result > 0)
		blocks.good = FILE_MAGIC_SIZE;
	while (result > 0 && (result = read_block(&blocks, &header, reterr)) > 0) {
		report->blocks++;
		report->ended = header.type == JM_SPOOL_END;
		result = block(context, (enum jm_spool_type)header.type, blocks.payload,
			header.size, reterr);
		result = result < 0 ? result : 1;
	}
	if (result == 0)
		result = count_rest(&blocks, &report->bytes_dropped, reterr);
	free(blocks.payload);
	return result;
}

int jm_spool_read(const char *path, jm_spool_block_fn *block, void *context,
	struct jm_spool_report *ret_report, struct jm_error *reterr)
{
	struct jm_reader reader;
	int result = jm_reader_open(&reader, path, reterr);

	memset(ret_report, 0, sizeof(*ret_report));
	if (result < 0)
		return result;
	result = read_blocks(&reader, block, context, ret_report, reterr);
	jm_reader_close(&reader);
	return result;
}

int jm_spool_read_memory(const char *name, const void *data, size_t size,
	jm_spool_block_fn *block, void *context, struct jm_spool_report *ret_report,
	struct jm_error *reterr)
{
	struct jm_reader reader;
	int result;

	memset(ret_report, 0, sizeof(*ret_report));
	jm_reader_open_memory(&reader, name, data, size);
	result = read_blocks(&reader, block, context, ret_report, reterr);
	jm_reader_close(&reader);
	return result;
}
