/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CUDA kernel that keeps every multiprocessor busy for a given time, and is
 * not there otherwise. The GPU stamps begin and end itself, on its own clock
 * (%globaltimer). A second kernel of one thread reads that clock against the
 * host's about once a second, in a pause; stamps in between are interpolated.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/error.h"
#include "workload/load.h"
#include "workload/load_cuda.h"

#define START_NS (200 * JM_NS_PER_MS)

enum { THREADS = 512, CLOCK_ROUNDS = 24 };

/* How often clocks are compared, how much of a pause that takes, and when the
 * kernel is given up. */
#define COMPARE_NS JM_NS_PER_S
#define COMPARE_PAUSE_NS (1500 * JM_NS_PER_US)
#define ANSWER_NS (100 * JM_NS_PER_MS)

/* The GPU's clock ticks in steps of up to about 1 us, and its blocks do not all
 * begin at once. */
#define EDGE_MS 0.005

/* Lies in memory that both sides see. */
struct box {
	volatile uint32_t asked;
	uint32_t reserved_0;
	volatile uint32_t answered;
	uint32_t reserved_1;
	volatile uint64_t device_ns;
};

struct comparison {
	int64_t device_ns;
	int64_t host_ns;
	int64_t uncertainty_ns;
};

struct span {
	uint64_t begin_ns; /* on the GPU's clock */
	uint64_t end_ns;
};

struct gpu {
	struct jm_cuda cuda;
	jm_cu_device device;
	int retained;
	void *burn, *clock; /* kernels */
	unsigned blocks;
	jm_cu_pointer stamps; /* 3 x u64 */
	struct box *box;
	jm_cu_pointer box_device;
	struct comparison *comparisons; /* [n_comparisons], owned */
	size_t n_comparisons, comparison_capacity;
	struct span *spans; /* [n_spans], owned */
	size_t n_spans;
};

#define CALL(gpu, what, function, ...)                                                         \
	jm_cuda_check(&(gpu)->cuda, (gpu)->cuda.function(__VA_ARGS__), what, reterr)

static int synchronize(struct gpu *gpu, const char *what, struct jm_error *reterr)
{
	return jm_cuda_check(&gpu->cuda, gpu->cuda.synchronize(), what, reterr);
}

/* ---- The device ------------------------------------------------------------- */

/* "GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" */
static void format_uuid(const struct jm_cu_uuid *uuid, char ret_text[48])
{
	int used = snprintf(ret_text, 48, "GPU-");

	for (size_t i = 0; i < sizeof(uuid->bytes); i++)
		used += snprintf(ret_text + used, 48 - (size_t)used, "%s%02x",
			i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid->bytes[i]);
}

static int find_uuid(struct gpu *gpu, const char *wanted, struct jm_error *reterr)
{
	int n = 0, result = CALL(gpu, "count the GPUs", device_count, &n);

	for (int i = 0; i < n && result == 0; i++) {
		struct jm_cu_uuid uuid = {{0}};
		char text[48];

		result = CALL(gpu, "find the GPU", device_get, &gpu->device, i);
		if (result == 0)
			result = CALL(gpu, "find the GPU", device_uuid, &uuid, gpu->device);
		if (result < 0)
			return result;
		format_uuid(&uuid, text);
		if (strncmp(text, wanted, strlen(wanted)) == 0)
			return 0;
	}
	return result < 0 ? result
			  : jm_fail(reterr, JM_ENOTFOUND,
				    "GPU load: CUDA shows no GPU '%s'; is CUDA_VISIBLE_DEVICES "
				    "set?",
				    wanted);
}

static int find_device(struct gpu *gpu, const char *wanted, struct jm_error *reterr)
{
	char *end;
	long index;

	if (!wanted || !*wanted)
		return CALL(gpu, "find a GPU", device_get, &gpu->device, 0);
	if (strncmp(wanted, "GPU-", 4) == 0)
		return find_uuid(gpu, wanted, reterr);
	index = strtol(wanted, &end, 10);
	if (!*end && index >= 0 && index < 4096)
		return CALL(gpu, "find the sensor's GPU", device_get, &gpu->device, (int)index);
	return CALL(gpu, "find the sensor's GPU", device_by_address, &gpu->device, wanted);
}

static int load_kernels(struct gpu *gpu, struct jm_error *reterr)
{
	char log[256] = "";
	int options[2] = {JM_CU_JIT_LOG, JM_CU_JIT_LOG_BYTES};
	void *values[2] = {log, (void *)sizeof(log)}, *module = NULL;
	jm_cu_result code = gpu->cuda.module_load(&module, jm_load_ptx, 2, options, values);
	int result = jm_cuda_check(&gpu->cuda, code, "translate its kernel", reterr);

	log[sizeof(log) - 1] = '\0';
	if (result < 0 && log[0] && reterr) {
		size_t used = strlen(reterr->message);

		log[strcspn(log, "\n")] = '\0';
		snprintf(reterr->message + used, sizeof(reterr->message) - used, " (%s)", log);
	}
	if (result == 0)
		result = CALL(
			gpu, "find its kernel", function_get, &gpu->burn, module, "jm_burn");
	if (result == 0)
		result = CALL(
			gpu, "find its kernel", function_get, &gpu->clock, module, "jm_clock");
	return result;
}

static int get_memory(struct gpu *gpu, struct jm_error *reterr)
{
	void *box = NULL;
	int result = CALL(gpu, "get memory", memory_new, &gpu->stamps, 3 * sizeof(uint64_t));

	if (result == 0)
		result = CALL(gpu, "get memory", host_new, &box, sizeof(struct box),
			JM_CU_HOST_MAPPED);
	if (result == 0) {
		gpu->box = box;
		result = CALL(gpu, "share memory", host_device, &gpu->box_device, box, 0);
	}
	return result;
}

static int describe(struct gpu *gpu, struct jm_load *load, struct jm_error *reterr)
{
	char name[96] = "";
	int processors = 0, threads = 0;
	int result =
		CALL(gpu, "read its name", device_name, name, (int)sizeof(name), gpu->device);

	if (result == 0)
		result = CALL(gpu, "read its size", device_attribute, &processors,
			JM_CU_MULTIPROCESSORS, gpu->device);
	if (result == 0)
		result = CALL(gpu, "read its size", device_attribute, &threads,
			JM_CU_THREADS_PER_MULTIPROCESSOR, gpu->device);
	if (result < 0)
		return result;
	name[sizeof(name) - 1] = '\0';
	gpu->blocks = (unsigned)(processors * (threads >= THREADS ? threads / THREADS : 1));
	snprintf(load->text, sizeof(load->text), "gpu, %s", name);
	return 0;
}

/* ---- Clocks ------------------------------------------------------------------- */

/* One question and its answer; 0 when the kernel does not answer. */
static int ask(struct gpu *gpu, uint32_t round, struct comparison *ret_comparison)
{
	int64_t before_ns = jm_clock_monotonic_ns(NULL), after_ns;

	__atomic_store_n(&gpu->box->asked, round, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&gpu->box->answered, __ATOMIC_SEQ_CST) != round) {
		after_ns = jm_clock_monotonic_ns(NULL);
		if (after_ns - before_ns > ANSWER_NS)
			return 0;
	}
	after_ns = jm_clock_monotonic_ns(NULL);
	ret_comparison->device_ns = (int64_t)gpu->box->device_ns;
	ret_comparison->host_ns = before_ns + (after_ns - before_ns) / 2;
	ret_comparison->uncertainty_ns = (after_ns - before_ns) / 2;
	return 1;
}

static int add_comparison(
	struct gpu *gpu, const struct comparison *comparison, struct jm_error *reterr)
{
	void *grown = jm_array_grow(gpu->comparisons, &gpu->comparison_capacity,
		gpu->n_comparisons + 1, sizeof(*gpu->comparisons));

	if (!grown)
		return jm_fail_memory(reterr, "the comparison of clocks");
	gpu->comparisons = grown;
	gpu->comparisons[gpu->n_comparisons++] = *comparison;
	return 0;
}

/* Reads both clocks; keeps the answer that came fastest. */
static int compare_clocks(struct gpu *gpu, struct jm_error *reterr)
{
	uint32_t rounds = CLOCK_ROUNDS;
	void *parameters[] = {&gpu->box_device, &rounds};
	struct comparison best = {.uncertainty_ns = INT64_MAX}, now;
	int result;

	gpu->box->asked = gpu->box->answered = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	result = CALL(gpu, "launch the kernel that reads its clock", launch, gpu->clock, 1, 1,
		1, 1, 1, 1, 0, NULL, parameters, NULL);
	for (uint32_t i = 1; i <= rounds && result == 0 && ask(gpu, i, &now); i++)
		if (i > 1 && now.uncertainty_ns < best.uncertainty_ns)
			best = now;
	if (result == 0)
		result = synchronize(gpu, "read its clock", reterr);
	if (result < 0)
		return result;
	if (best.uncertainty_ns == INT64_MAX)
		return jm_fail(reterr, JM_EUNSUPPORTED,
			"GPU load: the kernel that reads the GPU's clock does not answer");
	return add_comparison(gpu, &best, reterr);
}

/* On the host's clock; interpolated between the comparisons around it. */
static int64_t host_ns_of(const struct gpu *gpu, uint64_t device_ns, size_t *at)
{
	const struct comparison *c = gpu->comparisons;
	int64_t device = (int64_t)device_ns, offset_0, offset_1;
	double share;

	while (*at + 2 < gpu->n_comparisons && c[*at + 1].device_ns <= device)
		(*at)++;
	offset_0 = c[*at].host_ns - c[*at].device_ns;
	if (*at + 1 >= gpu->n_comparisons)
		return device + offset_0;
	offset_1 = c[*at + 1].host_ns - c[*at + 1].device_ns;
	share = (double)(device - c[*at].device_ns) /
		(double)(c[*at + 1].device_ns - c[*at].device_ns);
	return device + offset_0 + (int64_t)((double)(offset_1 - offset_0) * share);
}

/* ---- The load ------------------------------------------------------------------- */

static int burn(
	struct gpu *gpu, int64_t duration_ns, struct span *ret_span, struct jm_error *reterr)
{
	const uint64_t clear[2] = {UINT64_MAX, 0};
	uint64_t stamps[2], duration = (uint64_t)duration_ns;
	void *parameters[] = {&gpu->stamps, &duration};
	int result = CALL(gpu, "launch its kernel", launch, gpu->burn, gpu->blocks, 1, 1,
		THREADS, 1, 1, 0, NULL, parameters, NULL);

	if (result == 0)
		result = synchronize(gpu, "run its kernel", reterr);
	if (result == 0)
		result = CALL(gpu, "read its stamps", copy_to_host, stamps, gpu->stamps,
			sizeof(stamps));
	if (result == 0)
		result = CALL(gpu, "clear its stamps", copy_to_device, gpu->stamps, clear,
			sizeof(clear));
	if (result == 0)
		*ret_span = (struct span){stamps[0], stamps[1]};
	return result;
}

static int gpu_open(struct jm_load *load, struct jm_error *reterr)
{
	const uint64_t clear[2] = {UINT64_MAX, 0};
	struct gpu *gpu = calloc(1, sizeof(*gpu));
	struct span unused;
	void *context;
	int result;

	if (!gpu)
		return jm_fail_memory(reterr, "the load");
	load->state = gpu;
	gpu->spans = calloc(load->config->n_spans + 1, sizeof(*gpu->spans));
	if (!gpu->spans)
		return jm_fail_memory(reterr, "the load's stamps");
	setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID", 0); /* numbers as NVML has them */
	result = jm_cuda_open(&gpu->cuda, reterr);
	if (result == 0)
		result = CALL(gpu, "start CUDA", init, 0);
	if (result == 0)
		result = find_device(gpu, load->config->device, reterr);
	if (result == 0)
		result = describe(gpu, load, reterr);
	if (result < 0)
		return result;
	/* Or a waiting host spins; mapping is the default from CUDA 11 on. */
	gpu->cuda.context_flags(gpu->device, JM_CU_SCHEDULE_BLOCKING | JM_CU_MAP_HOST);
	result = CALL(gpu, "use the GPU", context_retain, &context, gpu->device);
	gpu->retained = result == 0;
	if (result == 0)
		result = CALL(gpu, "use the GPU", context_set, context);
	if (result == 0)
		result = load_kernels(gpu, reterr);
	if (result == 0)
		result = get_memory(gpu, reterr);
	if (result == 0)
		result = CALL(gpu, "clear its stamps", copy_to_device, gpu->stamps, clear,
			sizeof(clear));
	for (int i = 0; i < 3 && result == 0; i++) /* warm */
		result = burn(gpu, JM_NS_PER_MS, &unused, reterr);
	return result;
}

static void gpu_close(struct jm_load *load)
{
	struct gpu *gpu = load->state;

	if (!gpu)
		return;
	if (gpu->retained) /* takes memory and kernels with it */
		gpu->cuda.context_release(gpu->device);
	jm_cuda_close(&gpu->cuda);
	free(gpu->comparisons);
	free(gpu->spans);
	free(gpu);
	load->state = NULL;
}

/* Every span of the pattern in its time, as the GPU saw it. */
static int run_pattern(struct gpu *gpu, struct jm_load *load, struct jm_error *reterr)
{
	const struct jm_load_config *config = load->config;
	int64_t start_ns = jm_clock_monotonic_ns(NULL) + START_NS;
	int64_t compared_ns = jm_clock_monotonic_ns(NULL);
	int result = compare_clocks(gpu, reterr);

	for (size_t i = 0; i < config->n_spans && result == 0 && !jm_load_stopped(load); i++) {
		int64_t begin_ns = start_ns + config->spans[i].begin_ns;
		int64_t end_ns = start_ns + config->spans[i].end_ns;
		int64_t now_ns = jm_clock_monotonic_ns(NULL);

		if (now_ns - compared_ns > COMPARE_NS && begin_ns - now_ns > COMPARE_PAUSE_NS) {
			result = compare_clocks(gpu, reterr);
			compared_ns = now_ns;
		}
		jm_clock_sleep_until(begin_ns);
		now_ns = jm_clock_monotonic_ns(NULL);
		if (result == 0 && now_ns < end_ns)
			result =
				burn(gpu, end_ns - now_ns, &gpu->spans[gpu->n_spans++], reterr);
		jm_load_progress(load, gpu->n_spans);
	}
	return result < 0 ? result : compare_clocks(gpu, reterr);
}

static int by_uncertainty(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Drops comparisons that were disturbed; returns how far the others may be off. */
static int64_t sift_comparisons(struct gpu *gpu)
{
	int64_t *sorted = malloc((gpu->n_comparisons + 1) * sizeof(*sorted)), limit_ns;
	size_t n = gpu->n_comparisons, kept = 0;

	if (!sorted || !n) {
		free(sorted);
		return ANSWER_NS;
	}
	for (size_t i = 0; i < n; i++)
		sorted[i] = gpu->comparisons[i].uncertainty_ns;
	qsort(sorted, n, sizeof(*sorted), by_uncertainty);
	limit_ns = 2 * sorted[(n - 1) / 2] + JM_NS_PER_US;
	free(sorted);
	for (size_t i = 0; i < n; i++)
		if (gpu->comparisons[i].uncertainty_ns <= limit_ns)
			gpu->comparisons[kept++] = gpu->comparisons[i];
	gpu->n_comparisons = kept;
	return limit_ns / 2;
}

static int gpu_run(struct jm_load *load, struct jm_error *reterr)
{
	struct gpu *gpu = load->state;
	size_t at = 0;
	int result = run_pattern(gpu, load, reterr);

	load->edge_ms = EDGE_MS + (double)sift_comparisons(gpu) * 1e-6;
	for (size_t i = 0; i < gpu->n_spans && result == 0; i++) {
		int64_t begin_ns = host_ns_of(gpu, gpu->spans[i].begin_ns, &at);
		int64_t end_ns = host_ns_of(gpu, gpu->spans[i].end_ns, &at);

		result = jm_load_emit(load, begin_ns, end_ns, reterr);
	}
	return result;
}

const struct jm_load_ops jm_load_gpu = {"gpu", gpu_open, gpu_run, gpu_close};
