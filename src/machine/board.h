/* SPDX-License-Identifier: Apache-2.0 */
/* The machine and its state: what has to be known to trust a run. */
#ifndef JM_MACHINE_BOARD_H
#define JM_MACHINE_BOARD_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Model of the board or of its processor; "unknown" when nothing tells. */
void jm_board_name(const char *root, char *ret_name, size_t size);

/*
 * What does not change: {"name", "kernel", "cpu", "cpus", "machine", "l4t"}.
 * `root` is put before /sys and /proc ("" for the real ones). The caller owns
 * the reference; NULL when out of memory.
 */
json_t *jm_board_describe(const char *root);

/*
 * What does: {"cpu_khz": [...], "cpu_governors": [...], "gpu_hz", "power_mode",
 * "temperatures_c": {zone: ...}, "throttle_events", "load_average"}. Keys of
 * what the machine does not tell are absent.
 */
json_t *jm_board_state(const char *root);

/* CPU time of all processors, busy and in total, in clock ticks. */
struct jm_cpu_time {
	uint64_t busy;
	uint64_t total;
};

/* 0, or -1 when /proc/stat cannot be read. */
int jm_cpu_time_read(const char *root, struct jm_cpu_time *ret_time);

#endif
