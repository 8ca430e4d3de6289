/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NVIDIA GPUs by NVML, inside: the library (library.c), a GPU and the ways to
 * its power (gpu.c), the driver's ring of samples (ring.c) and the rhythm that
 * they were taken in (rhythm.c), the sensor itself
 * (nvml.c). Numbers and layouts are those of NVIDIA's nvml.h (API 12 and 13),
 * which is not needed to build.
 */
#ifndef JM_SENSORS_NVML_NVML_H
#define JM_SENSORS_NVML_NVML_H

#include "joulemap/sensor.h"

/* nvmlReturn_t: what is told apart here. */
enum {
	JM_NVML_OK = 0,
	JM_NVML_NOT_SUPPORTED = 3,
	JM_NVML_NO_PERMISSION = 4,
	JM_NVML_NOT_FOUND = 6,
	JM_NVML_DRIVER_NOT_LOADED = 9,
	JM_NVML_FUNCTION_NOT_FOUND = 13,
	JM_NVML_GPU_IS_LOST = 15,
	JM_NVML_RESET_REQUIRED = 16,
	JM_NVML_OPERATING_SYSTEM = 17,
	JM_NVML_VERSION_MISMATCH = 18,
	JM_NVML_NO_DATA = 21,
	JM_NVML_GPU_NOT_FOUND = 28
};

/* nvmlValue_t; which member holds is told by an nvmlValueType_t. */
union jm_nvml_value {
	double real;                           /* 0 */
	unsigned int unsigned_int;             /* 1 */
	unsigned long unsigned_long;           /* 2 */
	unsigned long long unsigned_long_long; /* 3 */
	long long signed_long_long;            /* 4 */
	int signed_int;                        /* 5 */
	unsigned short unsigned_short;         /* 6 */
};

/* nvmlSample_t */
struct jm_nvml_sample {
	unsigned long long time_us; /* wall clock */
	union jm_nvml_value value;
};

/* nvmlFieldValue_t */
struct jm_nvml_field {
	unsigned int id;
	unsigned int scope;
	long long time_us;
	long long latency_us;
	int type;
	int result;
	union jm_nvml_value value;
};

/* nvmlPciInfo_t */
struct jm_nvml_pci {
	char legacy_id[16];
	unsigned int domain, bus, device;
	unsigned int device_id, subsystem_id;
	char id[32]; /* "00000000:3B:00.0" */
};

/* More than any ring has (119 seen): a call then returns all of it. */
#define JM_NVML_SAMPLES_MAX 512

/* ---- The library --------------------------------------------------------- */

struct jm_nvml {
	void *handle; /* of dlopen; NULL: not loaded */
	int initialised;
	char driver[80]; /* version; "unknown" */
	/* NULL: this version lacks it. The first five are always there. */
	int (*init)(void);
	int (*shutdown)(void);
	int (*get_count)(unsigned int *count);
	int (*get_device)(unsigned int index, void **device);
	int (*get_name)(void *device, char *name, unsigned int size);
	int (*get_uuid)(void *device, char *uuid, unsigned int size);
	int (*get_pci)(void *device, struct jm_nvml_pci *pci);
	int (*get_mig)(void *device, unsigned int *current, unsigned int *pending);
	int (*get_samples)(void *device, int sampling, unsigned long long after_us, int *type,
		unsigned int *count, struct jm_nvml_sample *samples);
	int (*get_fields)(void *device, int n, struct jm_nvml_field *fields);
	int (*get_power)(void *device, unsigned int *mw);
	int (*get_limits)(void *device, unsigned int *min_mw, unsigned int *max_mw);
	int (*get_driver)(char *version, unsigned int size);
	const char *(*get_text)(int result);
};

/*
 * Loads and initialises the library into zeroed *nvml: 1; 0 when there is none.
 * A process that forks has to close it before. JM_ENOSENSOR, JM_EPERM: it is
 * there, and why it cannot be used.
 */
int jm_nvml_open(
	struct jm_nvml *nvml, const struct jm_sensor_options *options, struct jm_error *reterr);

/* Shuts down what jm_nvml_open initialised. Accepts zeroed and half-opened. */
void jm_nvml_close(struct jm_nvml *nvml);

/* Turns an nvmlReturn_t into an error about `subject`, with what to do. */
int jm_nvml_fail(
	const struct jm_nvml *nvml, int result, const char *subject, struct jm_error *reterr);

/* ---- A GPU ------------------------------------------------------------------ */

/* Ways to the power of a GPU, the finest first. */
enum jm_nvml_way {
	JM_NVML_SAMPLES = 1, /* nvmlDeviceGetSamples: a ring with stamps */
	JM_NVML_INSTANT = 2, /* field 186 */
	JM_NVML_USAGE = 3    /* nvmlDeviceGetPowerUsage */
};

struct jm_nvml_gpu {
	unsigned int index;
	void *device;         /* nvmlDevice_t */
	char id[JM_NAME_MAX]; /* "nvml:0" */
	char name[JM_NAME_MAX];
	char uuid[96]; /* "": not told */
	struct jm_nvml_pci pci;
	int has_pci;
	double range_uw;      /* more than it can draw */
	char path[256];       /* tells it from every other one, and stays */
	enum jm_nvml_way way; /* 0: not looked for yet */
};

/* The ring's samples as last fetched. */
struct jm_nvml_samples {
	struct jm_nvml_sample list[JM_NVML_SAMPLES_MAX];
	size_t n;
	int type; /* nvmlValueType_t of each */
};

/* Who the GPU is. */
int jm_nvml_identify(const struct jm_nvml *nvml, unsigned int index,
	struct jm_nvml_gpu *ret_gpu, struct jm_error *reterr);

/*
 * Finds the way to its power and leaves the ring in *samples when that is it.
 * JM_ENOSENSOR: it tells none, and why.
 */
int jm_nvml_find_way(const struct jm_nvml *nvml, struct jm_nvml_gpu *gpu,
	struct jm_nvml_samples *samples, struct jm_error *reterr);

/* Fetches the whole ring, sorted by time. An nvmlReturn_t. */
int jm_nvml_fetch(const struct jm_nvml *nvml, const struct jm_nvml_gpu *gpu,
	struct jm_nvml_samples *ret_samples);

/* Power of the moment by JM_NVML_INSTANT or JM_NVML_USAGE. An nvmlReturn_t. */
int jm_nvml_power(const struct jm_nvml *nvml, const struct jm_nvml_gpu *gpu, double *ret_uw);

/* Power of a sample or field in uW; NaN for a type that is not known. */
double jm_nvml_value_uw(const union jm_nvml_value *value, int type);

/* ---- The rhythm ----------------------------------------------------------------- */

/* The GPU's samples are taken at origin + phase + k period, of the wall clock. */
struct jm_nvml_rhythm {
	unsigned long long origin_us;
	double phase_us;
	double period_us;
};

/* 1: most stamps of the ring keep a rhythm, and those that do not are late. */
int jm_nvml_rhythm_find(
	const struct jm_nvml_samples *samples, struct jm_nvml_rhythm *ret_rhythm);

/* 1, and how late a stamp is; 0: so far off that its moment is not known. */
int jm_nvml_rhythm_place(
	const struct jm_nvml_rhythm *rhythm, unsigned long long time_us, int64_t *ret_late_ns);

/* ---- The ring ------------------------------------------------------------------ */

#define JM_NVML_QUEUE_MAX 128

/* Samples that were fetched and not handed out yet, on the monotonic clock. */
struct jm_nvml_ring {
	struct {
		int64_t at_ns;
		double uw;
	} queue[JM_NVML_QUEUE_MAX];
	size_t first, n;
	int64_t last_ns;   /* stamp of the newest sample ever queued; 0: none */
	int64_t moment_ns; /* when that was taken; stamps may be late */
	int64_t offset_ns; /* wall clock - monotonic */
	int has_offset;
	/* Stamps that the ring had when the wall clock was set: not to be used. */
	unsigned long long stale_us[JM_NVML_SAMPLES_MAX];
	size_t n_stale;
};

/*
 * Queues those of `samples` that are new: late stamps put back on the rhythm
 * where there is one, and those left out that are far off it. The pair of clocks
 * is that of the fetch. When the wall clock was set since the last one, nobody
 * knows which clock the samples in the ring were stamped by: they are left out.
 * A full queue forgets its oldest.
 */
void jm_nvml_ring_put(struct jm_nvml_ring *ring, const struct jm_nvml_samples *samples,
	int64_t monotonic_ns, int64_t realtime_ns);

/* Hands out the oldest of the queue: 1; 0 when there is none. */
int jm_nvml_ring_take(struct jm_nvml_ring *ring, int64_t *ret_at_ns, double *ret_uw);

/* Forgets all of the queue but the newest. */
void jm_nvml_ring_keep_newest(struct jm_nvml_ring *ring);

/* Time between samples: of the rhythm, else the median; 0: too few. */
double jm_nvml_spacing_ms(const struct jm_nvml_samples *samples);

#endif
