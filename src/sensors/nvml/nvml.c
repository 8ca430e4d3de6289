/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NVIDIA GPUs by NVML, one sensor each. Argument: which one, by index ("0"),
 * PCI bus id ("0000:3b:00.0", "3b:00.0") or UUID ("GPU-...").
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "sensors/nvml/nvml.h"
#include "sensors/registry.h"

/* The ring holds two seconds; a run that ends loses what was not fetched yet. */
#define FETCH_NS (100 * JM_NS_PER_MS)
#define POLL_SAMPLES_MS 10.0
/* A ring slower than this is that of an idle GPU, and will be faster. */
#define SPACING_MAX_MS 50.0
/* New every 20 ms on old GPUs, every 100 ms on others; a call costs 1 us. */
#define POLL_VALUE_MS 4.0
/* Failures in a row after which the GPU is taken for gone. */
#define FAILURES_MAX 5
#define PAIRS 9

struct nvml {
	struct jm_nvml library;
	struct jm_nvml_gpu gpu;
	struct jm_nvml_samples samples;
	struct jm_nvml_ring ring;
	struct jm_sensor_info info;
	struct jm_rail_info rail;
	int64_t fetched_ns; /* when the ring was asked last */
	int failures;
	int64_t (*now_ns)(void *clock);
	void *clock;
};

/* ---- Which GPU ------------------------------------------------------------------ */

/* What the argument asks for. */
struct wanted {
	enum { ANY, INDEX, PCI, UUID } by;
	unsigned int index;
	unsigned int domain, bus, device;
	const char *uuid;
};

/* "[DOMAIN:]BUS:DEVICE[.0]" in hexadecimal. */
static int parse_pci(const char *text, struct wanted *ret_wanted)
{
	int end = 0;

	if (sscanf(text, "%8x:%2x:%2x%n", &ret_wanted->domain, &ret_wanted->bus,
		    &ret_wanted->device, &end) != 3) {
		ret_wanted->domain = 0;
		if (sscanf(text, "%2x:%2x%n", &ret_wanted->bus, &ret_wanted->device, &end) != 2)
			return 0;
	}
	return strcmp(text + end, "") == 0 || strcmp(text + end, ".0") == 0;
}

static int parse_argument(
	const char *argument, struct wanted *ret_wanted, struct jm_error *reterr)
{
	memset(ret_wanted, 0, sizeof(*ret_wanted));
	if (!argument)
		return 0;
	if (argument[0] && strlen(argument) <= 4 &&
		strspn(argument, "0123456789") == strlen(argument)) {
		ret_wanted->by = INDEX;
		ret_wanted->index = (unsigned int)strtoul(argument, NULL, 10);
	} else if (strncasecmp(argument, "GPU-", 4) == 0) {
		ret_wanted->by = UUID;
		ret_wanted->uuid = argument;
	} else if (parse_pci(argument, ret_wanted)) {
		ret_wanted->by = PCI;
	} else {
		return jm_fail(reterr, JM_EUSAGE,
			"'%s' names no GPU: give its index, PCI bus id or UUID, as in "
			"'nvml:0', "
			"'nvml:0000:3b:00.0', 'nvml:GPU-...'",
			argument);
	}
	return 0;
}

static int matches(const struct jm_nvml_gpu *gpu, const struct wanted *wanted)
{
	switch (wanted->by) {
	case INDEX:
		return gpu->index == wanted->index;
	case PCI:
		return gpu->has_pci && gpu->pci.domain == wanted->domain &&
		       gpu->pci.bus == wanted->bus && gpu->pci.device == wanted->device;
	case UUID:
		return strcasecmp(gpu->uuid, wanted->uuid) == 0;
	case ANY:
		break;
	}
	return 1;
}

/* ---- What it offers --------------------------------------------------------------- */

static void describe_way(const struct jm_nvml *nvml, const struct jm_nvml_gpu *gpu,
	const struct jm_nvml_samples *samples, struct jm_sensor_info *info)
{
	double spacing_ms;

	info->poll_ms = POLL_VALUE_MS;
	if (gpu->way == JM_NVML_INSTANT) {
		snprintf(info->provenance, sizeof(info->provenance),
			"driver %.40s has no samples here: its instantaneous power, polled; "
			"round "
			"and window unknown",
			nvml->driver);
		return;
	}
	if (gpu->way == JM_NVML_USAGE) {
		snprintf(info->provenance, sizeof(info->provenance),
			"driver %.40s has neither samples nor instantaneous power here: its "
			"power "
			"usage, polled; round and window unknown, 1 s on many GPUs since "
			"Ampere",
			nvml->driver);
		return;
	}
	spacing_ms = jm_nvml_spacing_ms(samples);
	info->flags |= JM_SENSOR_STAMPED;
	info->poll_ms = POLL_SAMPLES_MS;
	if (spacing_ms > 0.0 && spacing_ms <= SPACING_MAX_MS) {
		info->round_ms = spacing_ms;
		info->poll_ms = fmax(1.0, fmin(POLL_SAMPLES_MS, spacing_ms / 2.0));
	}
	snprintf(info->provenance, sizeof(info->provenance),
		"samples that driver %.40s keeps and stamps: %zu of them %.1f ms apart "
		"(median) "
		"when opened, more rarely on some idle GPUs; window unknown",
		nvml->driver, samples->n, spacing_ms);
}

/* What tells the GPU to CUDA too: its UUID, else its address, else its index. */
static void set_device(const struct jm_nvml_gpu *gpu, char *device, size_t size)
{
	if (gpu->uuid[0])
		jm_text_copy(device, size, gpu->uuid);
	else if (gpu->has_pci)
		jm_text_copy(device, size, gpu->pci.id);
	else
		snprintf(device, size, "%u", gpu->index);
}

static void describe(const struct jm_nvml *nvml, const struct jm_nvml_gpu *gpu,
	const struct jm_nvml_samples *samples, struct jm_sensor_info *ret_info,
	struct jm_rail_info *rail)
{
	memset(ret_info, 0, sizeof(*ret_info));
	memset(rail, 0, sizeof(*rail));
	jm_text_copy(ret_info->id, sizeof(ret_info->id), gpu->id);
	jm_text_copy(ret_info->path, sizeof(ret_info->path), gpu->path);
	jm_text_copy(ret_info->board, sizeof(ret_info->board), gpu->name);
	set_device(gpu, ret_info->device, sizeof(ret_info->device));
	ret_info->kind = JM_SENSOR_WINDOW;
	ret_info->scope = JM_SCOPE_GPU;
	ret_info->rails = rail;
	ret_info->n_rails = 1;
	jm_text_copy(rail->name, sizeof(rail->name), "GPU");
	rail->quantity = JM_QUANTITY_UW;
	rail->parent = -1;
	rail->quantum[0] = 1e3; /* given in mW */
	rail->range = gpu->range_uw;
	describe_way(nvml, gpu, samples, ret_info);
}

/* Tells of those that are wanted and can be used: their number, or why there is none. */
static int list(const struct jm_nvml *nvml, const struct wanted *wanted,
	const struct jm_sensor_found *found, struct jm_error *reterr)
{
	struct jm_error first = {0}, error;
	struct jm_nvml_samples samples;
	struct jm_nvml_gpu gpu;
	unsigned int count = 0;
	int n = 0, result = nvml->get_count(&count);

	if (result != JM_NVML_OK)
		return jm_nvml_fail(nvml, result, "the number of GPUs", reterr);
	for (unsigned int i = 0; i < count; i++) {
		struct jm_sensor_info info;
		struct jm_rail_info rail;

		if (wanted->by == INDEX && wanted->index != i)
			continue;
		result = jm_nvml_identify(nvml, i, &gpu, &error);
		if (result == 0 && !matches(&gpu, wanted))
			continue;
		if (result == 0)
			result = jm_nvml_find_way(nvml, &gpu, &samples, &error);
		if (result == 0) {
			describe(nvml, &gpu, &samples, &info, &rail);
			result = found->found(found->context, &info);
			if (result < 0)
				return result;
			n++;
		} else if (!first.code) {
			first = error;
		}
	}
	if (n || !first.code)
		return n;
	if (reterr)
		*reterr = first;
	return first.code;
}

static int nvml_probe(const struct jm_sensor_options *options,
	const struct jm_sensor_found *found, struct jm_error *reterr)
{
	struct jm_nvml library = {0};
	struct wanted wanted;
	int result = parse_argument(options->argument, &wanted, reterr);

	if (result < 0)
		return result;
	result = jm_nvml_open(&library, options, reterr);
	if (result <= 0)
		return result;
	result = list(&library, &wanted, found, reterr);
	/* Whoever probed may fork, and what is initialised does not survive that. */
	jm_nvml_close(&library);
	return result;
}

/* ---- Open ------------------------------------------------------------------------------ */

/* What probe found may have another index since: look again, by its path. */
static int find_again(
	struct nvml *nvml, const struct jm_sensor_info *info, struct jm_error *reterr)
{
	unsigned int count = 0;
	int result = nvml->library.get_count(&count);

	for (unsigned int i = 0; result == JM_NVML_OK && i < count; i++)
		if (jm_nvml_identify(&nvml->library, i, &nvml->gpu, NULL) == 0 &&
			strcmp(nvml->gpu.path, info->path) == 0)
			return 0;
	return jm_fail(reterr, JM_ENOSENSOR, "sensor '%s' (%s) is not there any more", info->id,
		info->path);
}

/* Queues the samples just fetched, by a pair of clocks as close as can be had. */
static void queue_samples(struct nvml *nvml)
{
	int64_t monotonic_ns = 0, realtime_ns = 0, narrowest_ns = INT64_MAX;

	for (int i = 0; i < PAIRS; i++) {
		int64_t before_ns = nvml->now_ns(nvml->clock);
		int64_t between_ns = jm_clock_realtime_ns();
		int64_t width_ns = nvml->now_ns(nvml->clock) - before_ns;

		if (width_ns >= narrowest_ns)
			continue;
		narrowest_ns = width_ns;
		monotonic_ns = before_ns + width_ns / 2;
		realtime_ns = between_ns;
	}
	jm_nvml_ring_put(&nvml->ring, &nvml->samples, monotonic_ns, realtime_ns);
}

static int nvml_open(void *state, const struct jm_sensor_info *info,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	struct nvml *nvml = state;
	struct wanted wanted;
	int result = parse_argument(options->argument, &wanted, reterr);

	if (result < 0)
		return result;
	nvml->now_ns = options->now_ns;
	nvml->clock = options->clock;
	result = jm_nvml_open(&nvml->library, options, reterr);
	if (result == 0)
		return jm_fail(
			reterr, JM_ENOSENSOR, "sensor '%s' is not there any more", info->id);
	if (result > 0)
		result = find_again(nvml, info, reterr);
	if (result == 0)
		result = jm_nvml_find_way(&nvml->library, &nvml->gpu, &nvml->samples, reterr);
	if (result < 0)
		return result;
	describe(&nvml->library, &nvml->gpu, &nvml->samples, &nvml->info, &nvml->rail);
	if (nvml->gpu.way == JM_NVML_SAMPLES) {
		queue_samples(nvml);
		jm_nvml_ring_keep_newest(&nvml->ring); /* the rest is the past */
		nvml->fetched_ns = nvml->now_ns(nvml->clock);
	}
	return 0;
}

static const struct jm_sensor_info *nvml_info(const void *state)
{
	const struct nvml *nvml = state;

	return &nvml->info;
}

static void nvml_close(void *state)
{
	struct nvml *nvml = state;

	jm_nvml_close(&nvml->library);
}

/* ---- Read ------------------------------------------------------------------------------- */

/* 0: no value this time; or why there will be none any more. */
static int forgive(struct nvml *nvml, int result, struct jm_error *reterr)
{
	char subject[160];

	nvml->failures++;
	if (nvml->failures < FAILURES_MAX && result != JM_NVML_GPU_IS_LOST &&
		result != JM_NVML_RESET_REQUIRED)
		return 0;
	snprintf(subject, sizeof(subject), "sensor '%s' (%s) vanished", nvml->gpu.id,
		nvml->gpu.name);
	return jm_nvml_fail(&nvml->library, result, subject, reterr);
}

static int fetch(struct nvml *nvml, struct jm_error *reterr)
{
	int result = jm_nvml_fetch(&nvml->library, &nvml->gpu, &nvml->samples);

	nvml->fetched_ns = nvml->now_ns(nvml->clock);
	if (result == JM_NVML_NOT_FOUND || result == JM_NVML_NO_DATA)
		result = JM_NVML_OK; /* nothing new */
	if (result != JM_NVML_OK)
		return forgive(nvml, result, reterr);
	nvml->failures = 0;
	queue_samples(nvml);
	return 0;
}

/* Every sample that was not handed out yet, each at its own moment. */
static int read_samples(
	struct nvml *nvml, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	struct jm_reading reading = {.value = {0.0, 0.0}};
	int result = 0;

	if (nvml->now_ns(nvml->clock) - nvml->fetched_ns >= FETCH_NS)
		result = fetch(nvml, reterr);
	while (result == 0 &&
		jm_nvml_ring_take(&nvml->ring, &reading.after_ns, &reading.value[0])) {
		reading.before_ns = reading.after_ns;
		result = sink->reading(sink->context, 0, &reading);
	}
	return result;
}

static int nvml_read(void *state, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	struct nvml *nvml = state;
	struct jm_reading reading = {.value = {0.0, 0.0}};
	int result;

	if (nvml->gpu.way == JM_NVML_SAMPLES)
		return read_samples(nvml, sink, reterr);
	reading.before_ns = nvml->now_ns(nvml->clock);
	result = jm_nvml_power(&nvml->library, &nvml->gpu, &reading.value[0]);
	reading.after_ns = nvml->now_ns(nvml->clock);
	if (result == JM_NVML_OK)
		nvml->failures = 0;
	else
		result = forgive(nvml, result, reterr);
	return result < 0 ? result : sink->reading(sink->context, 0, &reading);
}

const struct jm_sensor_ops jm_sensor_nvml = {
	.abi = JM_SENSOR_ABI,
	.size = sizeof(struct jm_sensor_ops),
	.name = "nvml",
	.summary = "NVIDIA GPU (libnvidia-ml.so.1)",
	.state_size = sizeof(struct nvml),
	.probe = nvml_probe,
	.open = nvml_open,
	.info = nvml_info,
	.read = nvml_read,
	.close = nvml_close,
};
