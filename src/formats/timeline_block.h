/* SPDX-License-Identifier: Apache-2.0 */
/* What reader and writer of timeline.jmt agree on. */
#ifndef JM_FORMATS_TIMELINE_BLOCK_H
#define JM_FORMATS_TIMELINE_BLOCK_H

#include <stdint.h>
#include <string.h>

#include <zlib.h>

#define JM_TIMELINE_MAGIC "JMTIMELN"
#define JM_TIMELINE_VERSION 1u
#define JM_TIMELINE_HEADER_SIZE 36u /* magic, version, layers, cycles, 0, spans, crc */

#define JM_TIMELINE_BLOCK_HEADER_SIZE 12u         /* type, size, crc */
#define JM_TIMELINE_PAYLOAD_MAX ((size_t)1 << 20) /* more is no block */

enum jm_timeline_block {
	JM_TIMELINE_LAYER = 1, /* a layer begins */
	JM_TIMELINE_SPANS = 2, /* spans of that layer */
	JM_TIMELINE_END = 3    /* nothing follows */
};

/* What the spans of a layer have beside their times. */
enum { JM_TIMELINE_HAS_CYCLES = 1, JM_TIMELINE_HAS_LANES = 2 };

/* Ends of the times: sums of two never leave int64. */
#define JM_TIMELINE_TIME_MAX_NS (INT64_C(1) << 62)
#define JM_TIMELINE_DURATION_MAX_NS INT64_C(1000000000000000)
/* So far out that civil time goes in too; the begin is within the above then. */
#define JM_TIMELINE_STAMP_MAX_NS (JM_TIMELINE_TIME_MAX_NS - 2 * JM_TIMELINE_DURATION_MAX_NS)

static inline void jm_timeline_put_u32(unsigned char *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(value >> 8 * i);
}

static inline uint32_t jm_timeline_get_u32(const unsigned char *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

/* Of the block's type and size as they are in the file, and the payload. */
static inline uint32_t jm_timeline_checksum(
	const unsigned char *type_and_size, const void *payload, size_t size)
{
	uLong crc = crc32(0, type_and_size, 8);

	return (uint32_t)(size ? crc32(crc, payload, (uInt)size) : crc);
}

/* Small numbers of either sign as small ones without. */
static inline uint64_t jm_timeline_zigzag(uint64_t difference)
{
	return difference << 1 ^ (difference >> 63 ? UINT64_MAX : 0);
}

static inline uint64_t jm_timeline_unzigzag(uint64_t code)
{
	return code >> 1 ^ (code & 1 ? UINT64_MAX : 0);
}

/*
 * Where the next span of a layer is expected: a cycle later, as the last one
 * came behind the one before, and as long. Arithmetic wraps around.
 */
struct jm_timeline_guess {
	uint64_t begin_ns, step_ns, duration_ns;
};

static inline void jm_timeline_learn(
	struct jm_timeline_guess *guess, uint64_t begin_ns, uint64_t duration_ns, int first)
{
	guess->step_ns = first ? 0 : begin_ns - guess->begin_ns;
	guess->begin_ns = begin_ns;
	guess->duration_ns = duration_ns;
}

#endif
