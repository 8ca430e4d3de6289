/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/profiled.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "engines/onnxruntime/status.h"

/* ---- Clocks ------------------------------------------------------------------------ */

static void read_offset(
	const struct jm_ort_profiled *profiled, struct jm_ort_clock_offset *ret_offset)
{
	struct jm_clock_pair pair;
	int64_t injected;

	jm_clock_pair_read(&pair);
	/* The caller's clock may be another one than the pair's. */
	injected = jm_ort_now(&profiled->clock) - jm_clock_monotonic_ns(NULL);
	if (profiled->clock.now_ns == jm_clock_monotonic_ns)
		injected = 0;
	ret_offset->realtime_ns = pair.realtime_ns;
	ret_offset->offset_ns = pair.monotonic_ns - pair.realtime_ns + injected;
}

/* The wall clock may be slewed while we measure: between the ends, a line. */
static int64_t to_caller(int64_t realtime_ns, const struct jm_ort_clock_offset *from,
	const struct jm_ort_clock_offset *to)
{
	double span = (double)(to->realtime_ns - from->realtime_ns);
	double part = span > 0 ? (double)(realtime_ns - from->realtime_ns) / span : 0;

	return realtime_ns + from->offset_ns +
	       (int64_t)(part * (double)(to->offset_ns - from->offset_ns));
}

/* ---- The file without a name -------------------------------------------------------- */

static int make_folder(char ret_path[JM_PATH_MAX], struct jm_error *reterr)
{
	const char *folder = getenv("TMPDIR");

	if (!folder || !*folder)
		folder = "/tmp";
	if (jm_path_join(ret_path, folder, "joulemap.XXXXXX", reterr) < 0)
		return JM_EINVAL;
	if (!mkdtemp(ret_path))
		return jm_fail_errno(reterr, errno, "cannot make a folder in '%s'", folder);
	return 0;
}

/* Opens the only file of a folder, then removes both. Returns fd or -1. */
static int claim_file(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int fd = -1;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (fd < 0)
			fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
		unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
	rmdir(folder);
	return fd;
}

/* ---- Life -------------------------------------------------------------------------- */

int jm_ort_profiled_open(struct jm_ort_profiled *profiled,
	const struct jm_ort_session_setup *setup, struct jm_ort_clock clock,
	struct jm_error *reterr)
{
	struct jm_ort_session_setup with_profile = *setup;
	char folder[JM_PATH_MAX], prefix[JM_PATH_MAX];
	int result;

	memset(profiled, 0, sizeof(*profiled));
	profiled->clock = clock;
	result = make_folder(folder, reterr);
	if (result < 0)
		return result;
	result = jm_path_join(prefix, folder, "profile", reterr);
	with_profile.profile_prefix = prefix;
	if (result == 0)
		result = jm_ort_session_open(&profiled->session, &with_profile, reterr);
	profiled->fd = claim_file(folder);
	profiled->profiling = profiled->fd >= 0;
	if (result == 0 && !profiled->profiling)
		result = jm_fail(reterr, JM_EENGINE,
			"ONNX Runtime wrote no profile into '%s'; name another folder with "
			"TMPDIR",
			folder);
	if (result < 0)
		jm_ort_profiled_close(profiled);
	else
		read_offset(profiled, &profiled->opened);
	return result;
}

struct conversion {
	const struct jm_ort_profiled_reader *reader;
	int64_t start_ns; /* wall clock when profiling began */
	struct jm_ort_clock_offset opened, finished;
	int64_t (*spans_ns)[2]; /* [capacity], owned */
	size_t capacity;
};

static int convert_run(void *context, size_t run, const struct jm_ort_profile_node *nodes,
	size_t n, struct jm_error *reterr)
{
	struct conversion *conversion = context;

	if (n > conversion->capacity) {
		int64_t(*grown)[2] = realloc(conversion->spans_ns, n * sizeof(*grown));

		if (!grown)
			return jm_fail_memory(reterr, "a run of the profile");
		conversion->spans_ns = grown;
		conversion->capacity = n;
	}
	for (size_t i = 0; i < n; i++) {
		int64_t begin_ns = conversion->start_ns + nodes[i].begin_us * JM_NS_PER_US;
		int64_t end_ns = begin_ns + nodes[i].duration_us * JM_NS_PER_US;

		conversion->spans_ns[i][0] =
			to_caller(begin_ns, &conversion->opened, &conversion->finished);
		conversion->spans_ns[i][1] =
			to_caller(end_ns, &conversion->opened, &conversion->finished);
	}
	return conversion->reader->run(conversion->reader->context, run, nodes,
		(const int64_t(*)[2])conversion->spans_ns, n, reterr);
}

static int end_profile(
	struct jm_ort_profiled *profiled, uint64_t *ret_start_ns, struct jm_error *reterr)
{
	const struct jm_ort *ort = profiled->session.ort;
	struct OrtSession *session = profiled->session.session;
	struct OrtAllocator *allocator = NULL;
	char *name = NULL;
	struct OrtStatus *status = jm_ort_default_allocator_fn(ort)(&allocator);

	if (!status)
		status = jm_ort_profiling_start_ns_fn(ort)(session, ret_start_ns);
	if (!status)
		status = jm_ort_end_profiling_fn(ort)(session, allocator, &name);
	if (name)
		jm_ort_ignore(ort, jm_ort_allocator_free_fn(ort)(allocator, name));
	return jm_ort_check(ort, status, reterr, "cannot end the profile");
}

static void drop_file(struct jm_ort_profiled *profiled)
{
	if (profiled->profiling)
		close(profiled->fd);
	profiled->profiling = 0;
	profiled->fd = -1;
}

int jm_ort_profiled_finish(struct jm_ort_profiled *profiled,
	const struct jm_ort_profiled_reader *reader, size_t *ret_n_events,
	struct jm_error *reterr)
{
	struct conversion conversion = {.reader = reader, .opened = profiled->opened};
	char path[48];
	uint64_t start_ns = 0;
	int result;

	*ret_n_events = 0;
	if (!profiled->profiling)
		return 0;
	read_offset(profiled, &conversion.finished);
	result = end_profile(profiled, &start_ns, reterr);
	conversion.start_ns = (int64_t)start_ns;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", profiled->fd);
	if (result == 0)
		result = jm_ort_profile_read(path, reader->n_described, convert_run,
			&conversion, ret_n_events, reterr);
	free(conversion.spans_ns);
	drop_file(profiled);
	return result;
}

void jm_ort_profiled_close(struct jm_ort_profiled *profiled)
{
	jm_ort_session_close(&profiled->session);
	drop_file(profiled);
	memset(profiled, 0, sizeof(*profiled));
}
