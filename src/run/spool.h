/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spool: what is on disk while a run is being measured. Append-only, and
 * readable after a crash or a kill at any moment: blocks with a length and a
 * checksum, of which a torn last one is dropped.
 *
 * File: the 8 bytes "JMSPOOL1", then blocks of
 *     u32 magic  u32 type  u32 size  u32 crc32(type, size, payload)  payload
 * in the byte order of the machine that wrote it (a foreign one shows in the
 * magic). A block holds whole records of one type.
 */
#ifndef JM_RUN_SPOOL_H
#define JM_RUN_SPOOL_H

#include "base/file.h"
#include "joulemap/joulemap.h"

enum jm_spool_type {
	JM_SPOOL_META = 1,    /* JSON text: what this spool is about, first record */
	JM_SPOOL_GRAPH = 2,   /* JSON text in the form of trt_engine_info.json */
	JM_SPOOL_READING = 3, /* struct jm_spool_reading */
	JM_SPOOL_SPAN_1 = 4,  /* struct jm_spool_span_1, of earlier versions: only read */
	JM_SPOOL_END = 5,     /* JSON text: orderly end, statistics; last record */
	JM_SPOOL_SPAN = 6     /* struct jm_spool_span */
};

struct jm_spool_reading {
	int64_t before_ns;
	int64_t after_ns;
	double value[2];
	uint32_t rail;
	uint32_t reserved; /* 0 */
};

/* Layer number of the span that covers a whole cycle. */
#define JM_WHOLE_CYCLE UINT32_MAX

struct jm_spool_span {
	int64_t begin_ns;
	int64_t end_ns;
	uint32_t layer;
	uint32_t cycle;    /* of which the layer's run is part, from 0 */
	uint32_t lane;     /* stream or thread, below JM_LANES_MAX */
	uint32_t reserved; /* 0 */
};

/* As earlier versions wrote it: the n-th span of a layer is of its n-th cycle. */
struct jm_spool_span_1 {
	int64_t begin_ns;
	int64_t end_ns;
	uint32_t layer;
	uint32_t cycle; /* during which it was delivered, however late */
};

/* What is not flushed is lost with the process: at most this much time. */
#define JM_SPOOL_FLUSH_NS INT64_C(40000000)

struct jm_spool_writer {
	int fd;
	char path[JM_PATH_MAX];
	char *data; /* pending block, owned */
	size_t used;
	uint32_t type;         /* of the pending block */
	int64_t last_flush_ns; /* on the caller's clock */
	uint64_t written;
	int64_t last_sync_ns;
};

/* Creates (truncates) the file. 0 or an error. */
int jm_spool_create(struct jm_spool_writer *spool, const char *path, struct jm_error *reterr);

/*
 * Appends one record; writes out when JM_SPOOL_FLUSH_NS have passed since the
 * last time, the type changes or the buffer is full. JM_ENOSPC, JM_EIO: the
 * file keeps everything up to the last whole block.
 */
int jm_spool_put(struct jm_spool_writer *spool, enum jm_spool_type type, const void *record,
	size_t size, int64_t now_ns, struct jm_error *reterr);

int jm_spool_flush(struct jm_spool_writer *spool, int64_t now_ns, struct jm_error *reterr);

/* Flushes and closes; accepts a zeroed or closed writer (fd -1 or data NULL). */
int jm_spool_close(struct jm_spool_writer *spool, struct jm_error *reterr);

/* Called for every whole block; a negative return ends the reading with it. */
typedef int jm_spool_block_fn(void *context, enum jm_spool_type type, const void *payload,
	size_t size, struct jm_error *reterr);

struct jm_spool_report {
	size_t blocks;
	uint64_t bytes_dropped; /* behind the last whole block */
	int ended;              /* a JM_SPOOL_END was there */
};

/*
 * Reads a spool up to its last whole block. A torn or damaged tail is no
 * error, it is counted in the report; a file that is no spool is JM_EFORMAT.
 * JSON payloads are not '\0'-terminated.
 */
int jm_spool_read(const char *path, jm_spool_block_fn *block, void *context,
	struct jm_spool_report *ret_report, struct jm_error *reterr);

/* The same from memory. */
int jm_spool_read_memory(const char *name, const void *data, size_t size,
	jm_spool_block_fn *block, void *context, struct jm_spool_report *ret_report,
	struct jm_error *reterr);

#endif
