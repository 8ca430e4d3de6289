/* SPDX-License-Identifier: Apache-2.0 */
/* One GPU: who it is, and the finest way to its power that it offers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "sensors/nvml/nvml.h"

#define TOTAL_POWER_SAMPLES 0
#define FIELD_POWER_INSTANT 186
#define MIG_ENABLED 1

/* A ring whose newest sample is older than this does not move. */
#define AGE_MAX_US INT64_C(10000000)
/* The driver's idea of the wall clock may be ahead by this. */
#define AHEAD_MAX_US INT64_C(1000000)

/*
 * No GPU draws so much; where its highest limit is told, so many times that: what
 * some drivers tell is of the module, which holds two of them and a processor.
 */
#define RANGE_UW 3e9
#define LIMITS 4.0
#define LIMIT_MAX_MW 100000000u

/* ---- Who it is ----------------------------------------------------------------- */

static void set_path(struct jm_nvml_gpu *gpu)
{
	if (gpu->has_pci)
		snprintf(gpu->path, sizeof(gpu->path), "PCI %.31s, %s", gpu->pci.id, gpu->name);
	else if (gpu->uuid[0])
		snprintf(gpu->path, sizeof(gpu->path), "%s, %s", gpu->uuid, gpu->name);
	else
		snprintf(gpu->path, sizeof(gpu->path), "GPU %u, %s", gpu->index, gpu->name);
}

static void set_range(const struct jm_nvml *nvml, struct jm_nvml_gpu *gpu)
{
	unsigned int min_mw, max_mw = 0;

	gpu->range_uw = RANGE_UW;
	if (nvml->get_limits && nvml->get_limits(gpu->device, &min_mw, &max_mw) == JM_NVML_OK &&
		max_mw && max_mw < LIMIT_MAX_MW)
		gpu->range_uw = LIMITS * max_mw * 1e3;
}

int jm_nvml_identify(const struct jm_nvml *nvml, unsigned int index,
	struct jm_nvml_gpu *ret_gpu, struct jm_error *reterr)
{
	char name[96] = "";
	int result;

	memset(ret_gpu, 0, sizeof(*ret_gpu));
	ret_gpu->index = index;
	snprintf(ret_gpu->id, sizeof(ret_gpu->id), "nvml:%u", index);
	result = nvml->get_device(index, &ret_gpu->device);
	if (result == JM_NVML_OK)
		result = nvml->get_name(ret_gpu->device, name, sizeof(name));
	if (result != JM_NVML_OK)
		return jm_nvml_fail(nvml, result, ret_gpu->id, reterr);
	name[sizeof(name) - 1] = '\0';
	jm_text_sanitize(ret_gpu->name, sizeof(ret_gpu->name), name);
	if (nvml->get_uuid && nvml->get_uuid(ret_gpu->device, ret_gpu->uuid,
				      sizeof(ret_gpu->uuid)) != JM_NVML_OK)
		ret_gpu->uuid[0] = '\0';
	ret_gpu->has_pci = nvml->get_pci &&
			   nvml->get_pci(ret_gpu->device, &ret_gpu->pci) == JM_NVML_OK &&
			   ret_gpu->pci.id[0];
	set_path(ret_gpu);
	set_range(nvml, ret_gpu);
	return 0;
}

/* ---- Its power -------------------------------------------------------------------- */

double jm_nvml_value_uw(const union jm_nvml_value *value, int type)
{
	switch (type) { /* in mW */
	case 0:
		return value->real * 1e3;
	case 1:
		return value->unsigned_int * 1e3;
	case 2:
		return (double)value->unsigned_long * 1e3;
	case 3:
		return (double)value->unsigned_long_long * 1e3;
	case 4:
		return (double)value->signed_long_long * 1e3;
	case 5:
		return value->signed_int * 1e3;
	case 6:
		return value->unsigned_short * 1e3;
	default:
		return (double)NAN;
	}
}

static int compare_samples(const void *a, const void *b)
{
	const struct jm_nvml_sample *first = a, *second = b;

	return (first->time_us > second->time_us) - (first->time_us < second->time_us);
}

int jm_nvml_fetch(const struct jm_nvml *nvml, const struct jm_nvml_gpu *gpu,
	struct jm_nvml_samples *ret_samples)
{
	unsigned int count = JM_NVML_SAMPLES_MAX;
	int result;

	ret_samples->n = 0;
	if (!nvml->get_samples)
		return JM_NVML_FUNCTION_NOT_FOUND;
	/* 0, not the last stamp seen: that would wait for a clock set back to return. */
	result = nvml->get_samples(gpu->device, TOTAL_POWER_SAMPLES, 0, &ret_samples->type,
		&count, ret_samples->list);
	if (result != JM_NVML_OK)
		return result;
	ret_samples->n = count < JM_NVML_SAMPLES_MAX ? count : JM_NVML_SAMPLES_MAX;
	qsort(ret_samples->list, ret_samples->n, sizeof(ret_samples->list[0]), compare_samples);
	return JM_NVML_OK;
}

int jm_nvml_power(const struct jm_nvml *nvml, const struct jm_nvml_gpu *gpu, double *ret_uw)
{
	struct jm_nvml_field field = {.id = FIELD_POWER_INSTANT};
	unsigned int mw = 0;
	int result = JM_NVML_FUNCTION_NOT_FOUND;

	*ret_uw = (double)NAN;
	if (gpu->way == JM_NVML_USAGE) {
		if (nvml->get_power)
			result = nvml->get_power(gpu->device, &mw);
		if (result == JM_NVML_OK)
			*ret_uw = mw * 1e3;
		return result;
	}
	if (nvml->get_fields)
		result = nvml->get_fields(gpu->device, 1, &field);
	if (result == JM_NVML_OK)
		result = field.result;
	if (result == JM_NVML_OK)
		*ret_uw = jm_nvml_value_uw(&field.value, field.type);
	return result;
}

/* ---- The way to it ------------------------------------------------------------------ */

/* Neither 0 nor all ones, as where there is no sensor. */
static int is_power(const struct jm_nvml_gpu *gpu, double power_uw)
{
	return power_uw > 0.0 && power_uw < gpu->range_uw;
}

/* A ring that moves, and has values. */
static int is_alive(const struct jm_nvml_gpu *gpu, const struct jm_nvml_samples *samples)
{
	int64_t now_us = jm_clock_realtime_ns() / JM_NS_PER_US;
	int64_t newest_us = samples->n ? (int64_t)samples->list[samples->n - 1].time_us : 0;

	if (newest_us < now_us - AGE_MAX_US || newest_us > now_us + AHEAD_MAX_US)
		return 0;
	for (size_t i = 0; i < samples->n; i++)
		if (is_power(gpu, jm_nvml_value_uw(&samples->list[i].value, samples->type)))
			return 1;
	return 0;
}

static int try_way(const struct jm_nvml *nvml, struct jm_nvml_gpu *gpu,
	struct jm_nvml_samples *samples, enum jm_nvml_way way)
{
	double power_uw;
	int result;

	gpu->way = way;
	if (way == JM_NVML_SAMPLES) {
		result = jm_nvml_fetch(nvml, gpu, samples);
		if (result == JM_NVML_OK && !is_alive(gpu, samples))
			result = JM_NVML_NO_DATA;
	} else {
		result = jm_nvml_power(nvml, gpu, &power_uw);
		if (result == JM_NVML_OK && !is_power(gpu, power_uw))
			result = JM_NVML_NO_DATA;
	}
	return result;
}

/* It has no such thing, as opposed to: something is wrong. */
static int is_absence(int result)
{
	return result == JM_NVML_NOT_SUPPORTED || result == JM_NVML_FUNCTION_NOT_FOUND ||
	       result == JM_NVML_NOT_FOUND || result == JM_NVML_NO_DATA;
}

int jm_nvml_find_way(const struct jm_nvml *nvml, struct jm_nvml_gpu *gpu,
	struct jm_nvml_samples *samples, struct jm_error *reterr)
{
	static const enum jm_nvml_way ways[] = {
		JM_NVML_SAMPLES, JM_NVML_INSTANT, JM_NVML_USAGE};
	unsigned int mig = 0, pending;
	char subject[160];
	int wrong = 0;

	if (nvml->get_mig && nvml->get_mig(gpu->device, &mig, &pending) == JM_NVML_OK &&
		mig == MIG_ENABLED)
		return jm_fail(reterr, JM_ENOSENSOR,
			"%s (%s) is split by MIG, and its parts have no power of their own: "
			"switch "
			"MIG off with 'sudo nvidia-smi -i %u -mig 0'",
			gpu->id, gpu->name, gpu->index);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		int result = try_way(nvml, gpu, samples, ways[i]);

		if (result == JM_NVML_OK)
			return 0;
		if (!is_absence(result) && !wrong)
			wrong = result;
	}
	if (!wrong)
		return jm_fail(reterr, JM_ENOSENSOR,
			"%s (%s) does not tell its power, as integrated and some virtual GPUs "
			"do: "
			"choose another sensor, on a Jetson ina3221",
			gpu->id, gpu->name);
	snprintf(subject, sizeof(subject), "%s (%s)", gpu->id, gpu->name);
	return jm_nvml_fail(nvml, wrong, subject, reterr);
}
