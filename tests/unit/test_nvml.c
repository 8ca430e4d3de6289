/* SPDX-License-Identifier: Apache-2.0 */
/* NVIDIA GPUs: the ring of samples, and a library that does what it is told. */
#include "unit.h"

#include <math.h>

#include "base/clock.h"
#include "sensors.h"
#include "sensors/nvml/nvml.h"
#include "sensors/registry.h"

#define MS INT64_C(1000000)
#define S INT64_C(1000000000)

/* ---- The layouts, as in NVIDIA's header ------------------------------------------- */

static void test_layouts(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct jm_nvml_sample), 16);
	assert_int_equal(offsetof(struct jm_nvml_sample, value), 8);
	assert_int_equal(sizeof(struct jm_nvml_field), 40);
	assert_int_equal(offsetof(struct jm_nvml_field, time_us), 8);
	assert_int_equal(offsetof(struct jm_nvml_field, type), 24);
	assert_int_equal(offsetof(struct jm_nvml_field, result), 28);
	assert_int_equal(offsetof(struct jm_nvml_field, value), 32);
	assert_int_equal(sizeof(struct jm_nvml_pci), 68);
	assert_int_equal(offsetof(struct jm_nvml_pci, domain), 16);
	assert_int_equal(offsetof(struct jm_nvml_pci, id), 36);
}

static void test_values(void **state)
{
	union jm_nvml_value value;

	(void)state;
	value.real = 82.5;
	assert_true(jm_nvml_value_uw(&value, 0) == 82500.0);
	value.unsigned_int = 4000000000U;
	assert_true(jm_nvml_value_uw(&value, 1) == 4e12);
	value.unsigned_long_long = 7;
	assert_true(jm_nvml_value_uw(&value, 3) == 7000.0);
	value.signed_int = -7;
	assert_true(jm_nvml_value_uw(&value, 5) == -7000.0);
	value.unsigned_short = 9;
	assert_true(jm_nvml_value_uw(&value, 6) == 9000.0);
	assert_true(isnan(jm_nvml_value_uw(&value, 7)));
}

/* ---- The ring --------------------------------------------------------------------- */

/* Wall clock less monotonic clock, of most tests. */
#define OFFSET_NS (INT64_C(1700000000) * S)

static struct jm_nvml_ring *new_ring(void)
{
	return calloc(1, sizeof(struct jm_nvml_ring));
}

/* Samples every 20 ms of the monotonic clock, [from, to), stamped by offset_ns. */
static void fill(struct jm_nvml_samples *samples, int from, int to, int64_t offset_ns)
{
	samples->type = 1;
	samples->n = 0;
	for (int i = from; i < to; i++) {
		struct jm_nvml_sample *sample = &samples->list[samples->n++];

		sample->time_us = (unsigned long long)((i * 20 * MS + offset_ns) / 1000);
		sample->value.unsigned_int = (unsigned int)i;
	}
}

/* The queue holds exactly [from, to), each at its own time. */
static void expect_taken(struct jm_nvml_ring *ring, int from, int to)
{
	int64_t at_ns;
	double uw;

	for (int i = from; i < to; i++) {
		assert_int_equal(jm_nvml_ring_take(ring, &at_ns, &uw), 1);
		assert_true(uw == i * 1e3);
		assert_true(llabs(at_ns - i * 20 * MS) <= 1000);
	}
	assert_int_equal(jm_nvml_ring_take(ring, &at_ns, &uw), 0);
}

/* Every sample once, however the fetches overlap and the pairs of clocks err. */
static void test_ring(void **state)
{
	struct jm_nvml_ring *ring = new_ring();
	struct jm_nvml_samples samples;

	(void)state;
	fill(&samples, 100, 119, OFFSET_NS);
	jm_nvml_ring_put(ring, &samples, 119 * 20 * MS, 119 * 20 * MS + OFFSET_NS);
	jm_nvml_ring_keep_newest(ring);
	expect_taken(ring, 118, 119);
	jm_nvml_ring_put(ring, &samples, 119 * 20 * MS, 119 * 20 * MS + OFFSET_NS - 700);
	expect_taken(ring, 0, 0);
	for (int to = 119; to < 400; to += 7) {
		fill(&samples, to - 100, to + 7, OFFSET_NS);
		jm_nvml_ring_put(ring, &samples, (to + 7) * 20 * MS,
			(to + 7) * 20 * MS + OFFSET_NS + (to % 3 - 1) * 900);
		expect_taken(ring, to, to + 7);
	}
	samples.n = 0; /* nothing new */
	jm_nvml_ring_put(ring, &samples, 500 * 20 * MS, 500 * 20 * MS + OFFSET_NS);
	expect_taken(ring, 0, 0);
	free(ring);
}

/* What does not fit is the oldest; what is newer than now is none. */
static void test_ring_bounds(void **state)
{
	struct jm_nvml_ring *ring = new_ring();
	struct jm_nvml_samples samples;

	(void)state;
	fill(&samples, 100, 400, OFFSET_NS);
	samples.list[299].time_us += 100000000;
	jm_nvml_ring_put(ring, &samples, 400 * 20 * MS, 400 * 20 * MS + OFFSET_NS);
	expect_taken(ring, 399 - JM_NVML_QUEUE_MAX, 399);
	samples.list[299].time_us = ~0ULL;
	jm_nvml_ring_put(ring, &samples, 401 * 20 * MS, 401 * 20 * MS + OFFSET_NS);
	expect_taken(ring, 0, 0);
	free(ring);
}

/*
 * The wall clock is set by step_ns. Samples are stamped when they are taken,
 * or (restamped) when the ring is asked: either way none appears twice, none
 * at a wrong time, and all that are taken later appear.
 */
static void set_clock(int64_t step_ns, int restamped)
{
	struct jm_nvml_ring *ring = new_ring();
	struct jm_nvml_samples before, after;
	int64_t later_ns = OFFSET_NS + step_ns;

	fill(&before, 0, 100, OFFSET_NS);
	jm_nvml_ring_put(ring, &before, 100 * 20 * MS, 100 * 20 * MS + OFFSET_NS);
	jm_nvml_ring_keep_newest(ring);
	expect_taken(ring, 99, 100);
	for (int to = 103; to < 300; to += 3) {
		int from = to - 100;

		/* Set at sample 102, in the middle of a fetch. */
		fill(&before, from, from < 102 ? 102 : from, restamped ? later_ns : OFFSET_NS);
		fill(&after, from < 102 ? 102 : from, to, later_ns);
		memcpy(before.list + before.n, after.list, after.n * sizeof(after.list[0]));
		before.n += after.n;
		/* Sorted, as jm_nvml_fetch hands it over. */
		for (size_t i = 1; i < before.n; i++)
			for (size_t j = i;
				j && before.list[j].time_us < before.list[j - 1].time_us; j--) {
				struct jm_nvml_sample swap = before.list[j];

				before.list[j] = before.list[j - 1];
				before.list[j - 1] = swap;
			}
		jm_nvml_ring_put(ring, &before, to * 20 * MS, to * 20 * MS + later_ns);
		if (to == 103)
			expect_taken(ring, 0, 0);
		else
			expect_taken(ring, to - 3, to);
	}
	assert_int_equal(ring->n_stale, 0);
	free(ring);
}

static void test_clock_set(void **state)
{
	static const int64_t steps_ns[] = {3600 * S, -3600 * S, 1007 * MS, -1007 * MS, 130 * MS,
		-130 * MS, 50 * MS, -50 * MS};

	(void)state;
	for (size_t i = 0; i < sizeof(steps_ns) / sizeof(steps_ns[0]); i++) {
		set_clock(steps_ns[i], 0);
		set_clock(steps_ns[i], 1);
	}
}

/*
 * Stamps as an H100's driver makes them: every fifth late by 1.8 ms, some by
 * 2.9, a few by so much that the sample was late too.
 */
static int64_t late_us(int i)
{
	if (i % 31 == 30)
		return 13000;
	return i % 5 == 4 ? 1800 : i % 7 == 6 ? 2900 : i % 3 * 40;
}

static void test_late_stamps(void **state)
{
	struct jm_nvml_ring *ring = new_ring();
	struct jm_nvml_samples samples;
	int64_t at_ns, expected_ns;
	double uw;
	int next = 119;

	(void)state;
	for (int to = 119; to < 600; to += 5) {
		fill(&samples, to - 119, to, OFFSET_NS);
		for (size_t i = 0; i < samples.n; i++)
			samples.list[i].time_us +=
				(unsigned long long)late_us(to - 119 + (int)i);
		assert_true(fabs(jm_nvml_spacing_ms(&samples) - 20.0) < 2e-3);
		jm_nvml_ring_put(ring, &samples, to * 20 * MS, to * 20 * MS + OFFSET_NS);
		if (to == 119)
			while (jm_nvml_ring_take(ring, &at_ns, &uw))
				continue;
		while (jm_nvml_ring_take(ring, &at_ns, &uw)) {
			next += next % 31 == 30; /* nobody knows when that was */
			assert_true(uw == next * 1e3);
			expected_ns = next * 20 * MS;
			assert_true(llabs(at_ns - expected_ns) < 150000);
			next++;
		}
	}
	assert_true(next >= 595);
	free(ring);
}

/* Where there is no rhythm, stamps are taken at their word. */
static void test_no_rhythm(void **state)
{
	struct jm_nvml_samples samples;
	struct jm_nvml_rhythm rhythm;

	(void)state;
	fill(&samples, 0, 119, OFFSET_NS);
	assert_int_equal(jm_nvml_rhythm_find(&samples, &rhythm), 1);
	for (size_t i = 0; i < samples.n; i++) /* evenly over half a period */
		samples.list[i].time_us += i * 7919 % 10000;
	assert_int_equal(jm_nvml_rhythm_find(&samples, &rhythm), 0);
	fill(&samples, 0, 119, OFFSET_NS);
	for (size_t i = 0; i < samples.n; i += 4) /* early ones are not of this kind */
		samples.list[i].time_us -= 2000;
	assert_int_equal(jm_nvml_rhythm_find(&samples, &rhythm), 0);
	samples.n = 20;
	assert_int_equal(jm_nvml_rhythm_find(&samples, &rhythm), 0);
	fill(&samples, 0, 119, OFFSET_NS);
	for (size_t i = 0; i < samples.n; i++) /* all at once */
		samples.list[i].time_us = samples.list[0].time_us;
	assert_int_equal(jm_nvml_rhythm_find(&samples, &rhythm), 0);
}

static void test_spacing(void **state)
{
	struct jm_nvml_samples samples;

	(void)state;
	fill(&samples, 0, 5, OFFSET_NS);
	assert_true(jm_nvml_spacing_ms(&samples) == 0.0);
	fill(&samples, 0, 50, OFFSET_NS);
	samples.list[49].time_us += 5000000; /* a gap */
	assert_true(jm_nvml_spacing_ms(&samples) == 20.0);
	samples.n = 0;
	assert_true(jm_nvml_spacing_ms(&samples) == 0.0);
}

/* ---- The library ---------------------------------------------------------------------- */

static struct jm_sensor_options options_of(const char *argument, const char *told)
{
	struct jm_sensor_options options = {
		.argument = argument, .sysfs_root = "", .now_ns = jm_clock_monotonic_ns};

	setenv("JOULEMAP_NVML_LIBRARY", JM_TEST_NVML, 1);
	setenv("JM_FAKE_NVML", told, 1);
	return options;
}

/* What the probe finds: its ids; or the beginning of its message and its code. */
static void expect_probe(const char *told, const char *argument, const char *ids)
{
	struct jm_sensor_options options = options_of(argument, told);
	struct jm_sensor_infos infos = {0};
	struct jm_error error = {0};
	char found[256] = "";
	int n = jm_sensor_infos_probe(&infos, &jm_sensor_nvml, &options, &error);

	for (size_t i = 0; i < infos.n; i++) {
		strcat(found, i ? " " : "");
		strcat(found, infos.list[i].id);
	}
	if (n < 0)
		fail_msg("%s: %s", told, error.message);
	assert_string_equal(found, ids);
	jm_sensor_infos_release(&infos);
}

static void expect_refusal(const char *told, const char *argument, int code, const char *words)
{
	struct jm_sensor_options options = options_of(argument, told);
	struct jm_sensor_info info;
	struct jm_error error = {0};

	assert_int_equal(probe_first(&jm_sensor_nvml, &options, &info, &error), code);
	assert_int_equal(error.code, code);
	if (!strstr(error.message, words))
		fail_msg("'%s' is not in '%s'", words, error.message);
}

static void test_which(void **state)
{
	(void)state;
	expect_probe("gpus=0", NULL, "");
	expect_probe("gpus=1", NULL, "nvml:0");
	expect_probe("gpus=7", NULL, "nvml:0 nvml:1 nvml:2 nvml:3 nvml:4 nvml:5 nvml:6");
	expect_probe("", "1", "nvml:1");
	expect_probe("", "2", "");
	expect_probe("", "00000000:3C:00.0", "nvml:1");
	expect_probe("", "0000:3c:00", "nvml:1");
	expect_probe("", "3b:00.0", "nvml:0");
	expect_probe("", "0001:3b:00.0", "");
	expect_probe("", "GPU-FA4E0000-0000-0000-0000-000000000001", "nvml:1");
	expect_probe("", "GPU-fa4e", "");
	expect_probe("nopci=1", "3b:00.0", "");
	expect_probe("nopci=1 nouuid=1", NULL, "nvml:0 nvml:1");
	expect_refusal("", "nowhere", JM_EUSAGE, "'nowhere' names no GPU");
	expect_refusal("", "", JM_EUSAGE, "names no GPU");
}

/* GPUs that cannot be used are left out; where no other is, it says why. */
static void test_refusals(void **state)
{
	(void)state;
	expect_refusal("init=9", NULL, JM_ENOSENSOR, "Driver Not Loaded (NVML error 9): load");
	expect_refusal("init=18", NULL, JM_ENOSENSOR, "reboot");
	expect_refusal("init=4", NULL, JM_EPERM, "run as root");
	expect_refusal("gpus=1 get=15", NULL, JM_ESENSOR, "nvml:0: GPU is lost");
	expect_refusal("power=3", NULL, JM_ENOSENSOR, "does not tell its power");
	expect_refusal("power=4", NULL, JM_EPERM, "Insufficient Permissions");
	expect_refusal("gpus=1 wild=1", NULL, JM_ENOSENSOR, "does not tell its power");
	expect_refusal("gpus=1 wild=1 wildmw=2800000", NULL, JM_ENOSENSOR, "does not tell its");
	expect_refusal("gpus=1 wild=1 wildmw=3000000 limit=0", NULL, JM_ENOSENSOR, "not tell");
	expect_refusal("gpus=1 mig=1", NULL, JM_ENOSENSOR, "split by MIG");
	expect_refusal("mig=1", "0", JM_ENOSENSOR, "-i 0 -mig 0");
	expect_refusal("get=15", "0", JM_ESENSOR, "nvml:0: GPU is lost");
	expect_probe("mig=1", NULL, "nvml:1");
	expect_probe("get=15", NULL, "nvml:1");
	expect_probe("power=3 one=1", NULL, "nvml:1");
	expect_probe("wild=1", NULL, "nvml:1");
	expect_probe("gpus=1 wild=1 wildmw=2799999", NULL, "nvml:0");
	expect_probe("gpus=1 wild=2", NULL, "nvml:0");
	setenv("JOULEMAP_NVML_LIBRARY", "/nonexistent/libnvidia-ml.so.1", 1);
}

/* Without one being named, a captured tree has no GPU; neither has a machine without NVML. */
static void expect_library(const char *root, int n, const char *words)
{
	struct jm_sensor_options options = {
		.sysfs_root = root, .now_ns = jm_clock_monotonic_ns};
	struct jm_sensor_info info;
	struct jm_error error = {0};

	assert_int_equal(probe_first(&jm_sensor_nvml, &options, &info, &error), n);
	jm_sensor_info_release(&info);
	if (words && !strstr(error.message, words))
		fail_msg("'%s' is not in '%s'", words, error.message);
}

static void test_library(void **state)
{
	(void)state;
	options_of(NULL, "");
	expect_library(TREE("empty"), 2, NULL);
	setenv("JOULEMAP_NVML_LIBRARY", "", 1);
	expect_library(TREE("empty"), 0, NULL);
	unsetenv("JOULEMAP_NVML_LIBRARY");
	expect_library(TREE("empty"), 0, NULL);
	setenv("JOULEMAP_NVML_LIBRARY", "/nonexistent/libnvidia-ml.so.1", 1);
	expect_library(TREE("empty"), JM_ENOSENSOR, "JOULEMAP_NVML_LIBRARY");
	/* A library of another kind. */
	setenv("JOULEMAP_NVML_LIBRARY", "libz.so.1", 1);
	expect_library(TREE("empty"), JM_ENOSENSOR, "nvmlInit_v2");
}

/* ---- Reading ------------------------------------------------------------------------------
 */

static void *open_gpu(
	const struct jm_sensor_options *options, const struct jm_sensor_info **ret_info)
{
	void *sensor = calloc(1, jm_sensor_nvml.state_size);
	struct jm_sensor_info probed;
	struct jm_error error = {0};

	assert_true(probe_first(&jm_sensor_nvml, options, &probed, &error) > 0);
	if (jm_sensor_nvml.open(sensor, &probed, options, &error) != 0)
		fail_msg("%s", error.message);
	jm_sensor_info_release(&probed);
	*ret_info = jm_sensor_nvml.info(sensor);
	return sensor;
}

static void close_gpu(void *sensor)
{
	jm_sensor_nvml.close(sensor);
	free(sensor);
}

static int is_stamped(const struct jm_sensor_info *info)
{
	return (info->flags & JM_SENSOR_STAMPED) != 0;
}

/* What a follower has seen. */
struct followed {
	struct jm_clock_pair pair;
	int gap;
	int64_t last_k;
	int values;
};

/* Each sample carries its number: it must come at its own moment, once, in order. */
static int follow_one(void *context, size_t rail, const struct jm_reading *reading)
{
	struct followed *followed = context;
	/* Which sample is stamped nearest to this moment? */
	int64_t k = (reading->after_ns + followed->pair.realtime_ns -
			    followed->pair.monotonic_ns + 10 * MS) /
		    (20 * MS);

	assert_int_equal(rail, 0);
	assert_true(reading->before_ns == reading->after_ns);
	assert_true(reading->value[0] == (1100000 + (double)(k % 1000) * 10) * 1e3);
	assert_true(k > followed->last_k);
	assert_true(!followed->gap || k / 8 % followed->gap != 0);
	followed->last_k = k;
	followed->values++;
	return 0;
}

static void follow(const char *told, int gap, int every_ms)
{
	struct jm_sensor_options options = options_of("1", told);
	struct followed followed = {.gap = gap};
	struct jm_reading_sink sink = {follow_one, &followed};
	const struct jm_sensor_info *info;
	void *sensor = open_gpu(&options, &info);
	int64_t begin_k;

	assert_true(is_stamped(info));
	assert_int_equal(info->scope, JM_SCOPE_GPU);
	assert_string_equal(info->device, "GPU-fa4e0000-0000-0000-0000-000000000001");
	assert_true(info->round_ms == 20.0 && info->poll_ms == 10.0);
	jm_clock_pair_read(&followed.pair);
	assert_int_equal(jm_sensor_nvml.read(sensor, &sink, NULL), 0);
	assert_int_equal(followed.values, 1); /* the newest, the others are the past */
	begin_k = followed.last_k;
	for (int i = 0; i < 300 && followed.values < 12; i++) {
		jm_clock_sleep_until(jm_clock_monotonic_ns(NULL) + every_ms * MS);
		assert_int_equal(jm_sensor_nvml.read(sensor, &sink, NULL), 0);
	}
	assert_true(followed.values >= 12);
	if (!gap) /* none is left out, however rarely it is read */
		assert_int_equal(followed.last_k - begin_k, followed.values - 1);
	close_gpu(sensor);
}

static void test_samples(void **state)
{
	(void)state;
	follow("", 0, 5);
	follow("", 0, 600);
	follow("shuffle=1", 0, 5);
	follow("gap=2", 2, 5);
}

/* All that is new comes at once, and nothing when there is nothing new. */
static void test_rarely(void **state)
{
	struct jm_sensor_options options = options_of("0", "spacing_us=1000");
	const struct jm_sensor_info *info;
	struct jm_clock_pair pair;
	struct latest latest;
	void *sensor;

	(void)state;
	sensor = open_gpu(&options, &info);
	assert_int_equal(read_latest(&jm_sensor_nvml, sensor, &latest, NULL), 0);
	assert_int_equal(latest.total, 1);
	jm_clock_sleep_until(jm_clock_monotonic_ns(NULL) + 600 * MS);
	jm_clock_pair_read(&pair); /* the ring reaches 119 ms back: it has gone round */
	assert_int_equal(read_latest(&jm_sensor_nvml, sensor, &latest, NULL), 0);
	assert_true(latest.total > 50 && isfinite(latest.readings[0].value[0]));
	assert_true(latest.readings[0].after_ns >= pair.monotonic_ns - 2 * MS);
	/* Nothing is new at once, unless this machine took its time. */
	pair.monotonic_ns = latest.readings[0].after_ns;
	assert_int_equal(read_latest(&jm_sensor_nvml, sensor, &latest, NULL), 0);
	assert_int_equal(latest.total == 0, latest.readings[0].after_ns == pair.monotonic_ns);
	close_gpu(sensor);
}

/* Without a ring that moves and is not all zeros, the other ways are taken. */
static void test_ways(void **state)
{
	static const struct {
		const char *told;
		int stamped;
		const char *provenance;
	} cases[] = {
		{"", 1, "samples that driver 999.1"},
		{"spacing_us=900000", 1, "900.0 ms apart"},
		{"samples=3", 0, "instantaneous"},
		{"samples=13", 0, "instantaneous"},
		{"samples=6", 0, "instantaneous"},
		{"samples=999", 0, "instantaneous"},
		{"zero=1", 0, "instantaneous"},
		{"spacing_us=2000000000", 0, "instantaneous"},
		{"samples=3 instant=3", 0, "power usage"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct jm_sensor_options options = options_of(NULL, cases[i].told);
		const struct jm_sensor_info *info;
		void *sensor = open_gpu(&options, &info);
		struct latest latest;

		assert_int_equal(is_stamped(info), cases[i].stamped);
		assert_non_null(strstr(info->provenance, cases[i].provenance));
		assert_string_equal(info->board, "Fake \"GPU\" \\xff 9000");
		assert_string_equal(info->rails[0].name, "GPU");
		assert_int_equal(read_latest(&jm_sensor_nvml, sensor, &latest, NULL), 0);
		assert_true(latest.readings[0].value[0] >= 100e6 &&
			    latest.readings[0].value[0] < 110e6);
		close_gpu(sensor);
	}
}

/* Reads until it fails; returns how many reads were without a value. */
static int read_to_the_end(const char *told, struct jm_error *reterr)
{
	struct jm_sensor_options options = options_of("0", told);
	const struct jm_sensor_info *info;
	struct latest latest;
	void *sensor = open_gpu(&options, &info);
	int missing = 0, result = 0;

	memset(reterr, 0, sizeof(*reterr));
	for (int i = 0; i < 40 && result == 0; i++) {
		result = read_latest(&jm_sensor_nvml, sensor, &latest, reterr);
		missing += latest.total && isnan(latest.readings[0].value[0]);
		if (is_stamped(info))
			jm_clock_sleep_until(jm_clock_monotonic_ns(NULL) + 30 * MS);
	}
	assert_int_equal(result, reterr->code);
	close_gpu(sensor);
	return missing;
}

/* A glitch is no value; five in a row, or a GPU that is lost, are the end. */
static void test_failures(void **state)
{
	struct jm_error error;

	(void)state;
	assert_int_equal(read_to_the_end("samples=3 fail_after=9 fail=999 fails=4", &error), 4);
	assert_int_equal(error.code, 0);
	assert_int_equal(read_to_the_end("samples=3 fail_after=9 fail=999 fails=5", &error), 4);
	assert_int_equal(error.code, JM_ESENSOR);
	assert_non_null(strstr(error.message, "sensor 'nvml:0' (Fake"));
	assert_int_equal(read_to_the_end("samples=3 fail_after=9", &error), 0);
	assert_int_equal(error.code, JM_ESENSOR);
	assert_non_null(strstr(error.message, "GPU is lost"));
	read_to_the_end("fail_after=4", &error);
	assert_int_equal(error.code, JM_ESENSOR);
	assert_non_null(strstr(error.message, "dmesg"));
	read_to_the_end("fail_after=4 fail=6", &error); /* nothing new is no failure */
	assert_int_equal(error.code, 0);
}

/* What probe found is found again when the order of the GPUs is another one. */
static void test_gone(void **state)
{
	struct jm_sensor_options options = options_of("1", "");
	struct jm_sensor_info info;
	struct jm_error error = {0};
	void *sensor = calloc(1, jm_sensor_nvml.state_size);

	(void)state;
	assert_int_equal(probe_first(&jm_sensor_nvml, &options, &info, NULL), 1);
	setenv("JM_FAKE_NVML", "gpus=1", 1);
	assert_int_equal(jm_sensor_nvml.open(sensor, &info, &options, &error), JM_ENOSENSOR);
	assert_non_null(strstr(error.message, "not there any more"));
	jm_sensor_info_release(&info);
	jm_sensor_nvml.close(sensor);
	free(sensor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_ring_bounds),
		cmocka_unit_test(test_clock_set),
		cmocka_unit_test(test_late_stamps),
		cmocka_unit_test(test_no_rhythm),
		cmocka_unit_test(test_spacing),
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_library),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_rarely),
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
