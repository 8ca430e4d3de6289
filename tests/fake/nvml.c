/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A libnvidia-ml.so.1 for tests, with GPUs that do what $JM_FAKE_NVML says when
 * the library is initialised: words and NAME=NUMBER, separated by blanks.
 *
 *   gpus=N         number of GPUs (2)
 *   init=CODE      nvmlInit fails with this code
 *   get=CODE       so does every handle of GPU 0
 *   power=CODE     so does every query of power; the first GPU only with one=1
 *   samples=CODE, instant=CODE, usage=CODE    so does this way to the power
 *   zero=1         the ring holds zeros
 *   fail_after=N fail=CODE fails=M   power fails M times (forever) after N calls
 *   spacing_us=N   between samples of the ring (20000)
 *   gap=N          every N-th eight samples are missing
 *   shuffle=1      the ring begins in its middle
 *   mig=1          GPU 0 is split
 *   limit=MW       the highest limit of its power, plus 1000 W x index (700000); 0: not told
 *   wild=N wildmw=MW  every N-th value of GPU 0 is MW (4294967295)
 *   nopci=1 nouuid=1  what a GPU does not tell
 *
 * Sample k is stamped k x spacing since 1970 and holds 100 W + (k mod 1000) x
 * 10 mW, plus 1000 W x the GPU's index; so do the other ways at their moment.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RING 119

enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6 };

struct sample {
	unsigned long long time_us;
	union {
		unsigned int mw;
		double real;
	} value;
};

struct field {
	unsigned int id, scope;
	long long time_us, latency_us;
	int type, result;
	union {
		unsigned int mw;
		double real;
	} value;
};

struct pci {
	char legacy_id[16];
	unsigned int domain, bus, device, device_id, subsystem_id;
	char id[32];
};

static char options[512];
static int initialised; /* nvmlInit less nvmlShutdown */
static long calls;      /* of power, since nvmlInit */

int nvmlInit_v2(void);
int nvmlShutdown(void);
const char *nvmlErrorString(int result);
int nvmlSystemGetDriverVersion(char *version, unsigned int size);
int nvmlDeviceGetCount_v2(unsigned int *count);
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device);
int nvmlDeviceGetName(void *device, char *name, unsigned int size);
int nvmlDeviceGetUUID(void *device, char *uuid, unsigned int size);
int nvmlDeviceGetPciInfo_v3(void *device, struct pci *pci);
int nvmlDeviceGetMigMode(void *device, unsigned int *current, unsigned int *pending);
int nvmlDeviceGetPowerManagementLimitConstraints(
	void *device, unsigned int *min_mw, unsigned int *max_mw);
int nvmlDeviceGetSamples(void *device, int sampling, unsigned long long after_us, int *type,
	unsigned int *count, struct sample *samples);
int nvmlDeviceGetFieldValues(void *device, int n, struct field *fields);
int nvmlDeviceGetPowerUsage(void *device, unsigned int *mw);

static long option(const char *name, long otherwise)
{
	size_t length = strlen(name);
	const char *at = options;

	while (*at) {
		at += strspn(at, " ");
		if (strncmp(at, name, length) == 0 && at[length] == '=')
			return strtol(at + length + 1, NULL, 10);
		at += strcspn(at, " ");
	}
	return otherwise;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static unsigned int index_of(void *device)
{
	return (unsigned int)(uintptr_t)device - 1;
}

static unsigned int mw_of(void *device, uint64_t k)
{
	if (option("wild", 0) && index_of(device) == 0 && k % (uint64_t)option("wild", 1) == 0)
		return (unsigned int)option("wildmw", 4294967295);
	return 100000 + (unsigned int)(k % 1000) * 10 + 1000000 * index_of(device);
}

/* What every query of power begins with. */
static int begin(void *device, const char *way)
{
	long result = 0, after = option("fail_after", -1);

	if (!initialised)
		return UNINITIALIZED;
	calls++;
	if (!option("one", 0) || index_of(device) == 0)
		result = option("power", 0);
	if (!result)
		result = option(way, 0);
	if (!result && after >= 0 && calls > after &&
		(!option("fails", 0) || calls <= after + option("fails", 0)))
		result = option("fail", 15);
	return (int)result;
}

int nvmlInit_v2(void)
{
	const char *text = getenv("JM_FAKE_NVML");
	long result;

	snprintf(options, sizeof(options), "%s", text ? text : "");
	result = option("init", 0);
	if (result)
		return (int)result;
	if (!initialised++)
		calls = 0;
	return OK;
}

int nvmlShutdown(void)
{
	if (!initialised)
		return UNINITIALIZED;
	initialised--;
	return OK;
}

const char *nvmlErrorString(int result)
{
	switch (result) {
	case NOT_SUPPORTED:
		return "Not Supported";
	case 4:
		return "Insufficient Permissions";
	case 9:
		return "Driver Not Loaded";
	case 15:
		return "GPU is lost";
	case 18:
		return "Driver/library version mismatch";
	default:
		return "Unknown Error";
	}
}

int nvmlSystemGetDriverVersion(char *version, unsigned int size)
{
	snprintf(version, size, "999.1");
	return OK;
}

int nvmlDeviceGetCount_v2(unsigned int *count)
{
	if (!initialised)
		return UNINITIALIZED;
	*count = (unsigned int)option("gpus", 2);
	return OK;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device)
{
	if (!initialised)
		return UNINITIALIZED;
	if (index >= (unsigned int)option("gpus", 2))
		return INVALID;
	if (index == 0 && option("get", 0))
		return (int)option("get", 0);
	*device = (void *)(uintptr_t)(index + 1);
	return OK;
}

int nvmlDeviceGetName(void *device, char *name, unsigned int size)
{
	(void)device;
	snprintf(name, size, "Fake \"GPU\" \xff 9000");
	return OK;
}

int nvmlDeviceGetUUID(void *device, char *uuid, unsigned int size)
{
	if (option("nouuid", 0))
		return NOT_SUPPORTED;
	snprintf(uuid, size, "GPU-fa4e0000-0000-0000-0000-%012u", index_of(device));
	return OK;
}

int nvmlDeviceGetPciInfo_v3(void *device, struct pci *pci)
{
	if (option("nopci", 0))
		return NOT_SUPPORTED;
	memset(pci, 0, sizeof(*pci));
	pci->bus = 0x3b + index_of(device);
	snprintf(pci->id, sizeof(pci->id), "%08X:%02X:%02X.0", pci->domain, pci->bus,
		pci->device);
	return OK;
}

int nvmlDeviceGetMigMode(void *device, unsigned int *current, unsigned int *pending)
{
	if (index_of(device) != 0 || !option("mig", 0))
		return NOT_SUPPORTED;
	*current = *pending = 1;
	return OK;
}

int nvmlDeviceGetSamples(void *device, int sampling, unsigned long long after_us, int *type,
	unsigned int *count, struct sample *samples)
{
	uint64_t spacing = (uint64_t)option("spacing_us", 20000);
	uint64_t gap = (uint64_t)option("gap", 0), newest = now_us() / spacing;
	struct sample ring[RING];
	unsigned int n = 0, shift;
	int result = begin(device, "samples");

	if (result != OK)
		return result;
	if (sampling != 0 || (samples && !*count))
		return INVALID;
	*type = 1;
	for (uint64_t k = newest - RING + 1; k <= newest; k++) {
		if (k * spacing <= after_us || (gap && k / 8 % gap == 0))
			continue;
		ring[n].time_us = k * spacing;
		ring[n].value.real = 0;
		ring[n++].value.mw = option("zero", 0) ? 0 : mw_of(device, k);
	}
	if (!samples) {
		*count = RING;
		return OK;
	}
	if (!n)
		return NOT_FOUND;
	shift = option("shuffle", 0) ? n / 2 : 0;
	*count = *count < n ? *count : n;
	for (unsigned int i = 0; i < *count; i++)
		samples[i] = ring[(i + shift) % n];
	return OK;
}

int nvmlDeviceGetFieldValues(void *device, int n, struct field *fields)
{
	for (int i = 0; i < n; i++) {
		fields[i].time_us = (long long)now_us();
		fields[i].type = 1;
		fields[i].result =
			fields[i].id == 186 ? begin(device, "instant") : NOT_SUPPORTED;
		if (fields[i].result == OK)
			fields[i].value.mw = mw_of(device, now_us() / 100000);
	}
	return OK;
}

int nvmlDeviceGetPowerUsage(void *device, unsigned int *mw)
{
	int result = begin(device, "usage");

	if (result == OK)
		*mw = mw_of(device, now_us() / 100000);
	return result;
}

int nvmlDeviceGetPowerManagementLimitConstraints(
	void *device, unsigned int *min_mw, unsigned int *max_mw)
{
	long limit = option("limit", 700000);

	*min_mw = 1;
	*max_mw = (unsigned int)limit + 1000000 * index_of(device);
	return limit ? OK : NOT_SUPPORTED;
}
