/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "scratch.h"
#include "run/spool.h"

struct content {
	size_t meta, readings, spans, end, blocks;
	int64_t last_ns;
	int stop;
};

static int take_block(void *context, enum jm_spool_type type, const void *payload, size_t size,
	struct jm_error *reterr)
{
	struct content *content = context;
	const struct jm_spool_reading *readings = payload;

	(void)reterr;
	content->blocks++;
	content->meta += type == JM_SPOOL_META;
	content->end += type == JM_SPOOL_END;
	if (type == JM_SPOOL_SPAN)
		content->spans += size / sizeof(struct jm_spool_span);
	if (type == JM_SPOOL_READING) {
		assert_int_equal(size % sizeof(*readings), 0);
		for (size_t i = 0; i < size / sizeof(*readings); i++, content->readings++) {
			assert_true(readings[i].before_ns == (int64_t)content->readings);
			assert_true(readings[i].value[0] == 2.0 * (double)content->readings);
			content->last_ns = readings[i].after_ns;
		}
	}
	return content->stop ? -55 : 0;
}

static void put_reading(struct jm_spool_writer *spool, int64_t n, int64_t now_ns)
{
	struct jm_spool_reading reading = {n, n + 1, {2.0 * (double)n, 0}, 0, 0};

	assert_int_equal(
		jm_spool_put(spool, JM_SPOOL_READING, &reading, sizeof(reading), now_ns, NULL),
		0);
}

/* Meta, readings with a flush every few ones, spans, an end. */
static const char *make_spool(int readings)
{
	const char *path = scratch_path("s.spool");
	struct jm_spool_span span = {1, 2, 3, 4, 0, 0};
	struct jm_spool_writer spool;
	int64_t now = 0;

	assert_int_equal(jm_spool_create(&spool, path, NULL), 0);
	assert_int_equal(jm_spool_put(&spool, JM_SPOOL_META, "{}", 2, now, NULL), 0);
	for (int i = 0; i < readings; i++)
		put_reading(&spool, i, now += JM_SPOOL_FLUSH_NS / 3);
	assert_int_equal(
		jm_spool_put(&spool, JM_SPOOL_SPAN, &span, sizeof(span), now, NULL), 0);
	assert_int_equal(jm_spool_put(&spool, JM_SPOOL_END, "", 0, now, NULL), 0);
	assert_int_equal(jm_spool_close(&spool, NULL), 0);
	assert_int_equal(jm_spool_close(&spool, NULL), 0);
	return path;
}

static void test_round_trip(void **state)
{
	struct jm_spool_report report;
	struct content content = {0};

	(void)state;
	assert_int_equal(
		jm_spool_read(make_spool(5000), take_block, &content, &report, NULL), 0);
	assert_true(content.meta == 1 && content.readings == 5000 && content.spans == 1);
	assert_true(content.end == 1 && report.ended && report.bytes_dropped == 0);
	assert_int_equal(report.blocks, content.blocks);
	content = (struct content){.stop = 1};
	assert_int_equal(
		jm_spool_read(make_spool(5), take_block, &content, &report, NULL), -55);
	assert_int_equal(content.blocks, 1);
}

static void test_gathering(void **state)
{
	const char *path = scratch_path("g.spool");
	struct jm_spool_report report;
	struct jm_spool_writer spool;
	struct content content = {0};
	char *big = calloc(300000, 1);

	(void)state;
	assert_int_equal(jm_spool_create(&spool, path, NULL), 0);
	/* At one moment: as few blocks as the buffer allows. */
	for (int i = 0; i < 5000; i++)
		put_reading(&spool, i, 7);
	assert_int_equal(jm_spool_put(&spool, JM_SPOOL_GRAPH, big, 300000, 7, NULL), 0);
	/* What was flushed is readable while the spool is open. */
	assert_int_equal(jm_spool_read(path, take_block, &content, &report, NULL), 0);
	assert_int_equal(content.readings, 5000);
	assert_true(report.blocks <= 5 && !report.ended);
	put_reading(&spool, 5000, 7);
	assert_int_equal(jm_spool_flush(&spool, 7, NULL), 0);
	content = (struct content){0};
	assert_int_equal(jm_spool_read(path, take_block, &content, &report, NULL), 0);
	assert_int_equal(content.readings, 5001);
	assert_int_equal(jm_spool_close(&spool, NULL), 0);
	free(big);
}

/* Cut anywhere, a spool gives its whole blocks and counts what is lost. */
static void test_cut(void **state)
{
	const char *path = make_spool(40);
	struct jm_spool_report report;
	size_t size, last = 0;
	char *data;

	(void)state;
	assert_int_equal(jm_file_read(path, 1 << 20, &data, &size, NULL), 0);
	for (size_t n = 0; n <= size; n++) {
		struct content content = {0};

		assert_int_equal(
			jm_spool_read_memory("s", data, n, take_block, &content, &report, NULL),
			0);
		assert_true(content.readings >= last && report.blocks == content.blocks);
		assert_true(report.bytes_dropped <= n);
		assert_int_equal(report.ended, n == size);
		last = content.readings;
	}
	assert_int_equal(last, 40);
	free(data);
}

/* A flipped bit anywhere never gives a wrong record (take_block checks). */
static void test_flip(void **state)
{
	const char *path = make_spool(40);
	struct jm_spool_report report;
	size_t size;
	char *data;

	(void)state;
	assert_int_equal(jm_file_read(path, 1 << 20, &data, &size, NULL), 0);
	for (size_t i = 0; i < size * 8; i++) {
		struct content content = {0};
		int result;

		data[i / 8] ^= (char)(1 << i % 8);
		result = jm_spool_read_memory(
			"s", data, size, take_block, &content, &report, NULL);
		assert_int_equal(result, i < 64 ? JM_EFORMAT : 0);
		if (result == 0)
			assert_true(report.bytes_dropped > 0 && content.end == 0);
		data[i / 8] ^= (char)(1 << i % 8);
	}
	free(data);
}

static void test_no_spool(void **state)
{
	static const char foreign[] = "JMSPOOL1\x4b\x4c\x42\x4a\0\0\0\0\0\0\0\0\0\0\0\0";
	struct jm_error error = {0};
	struct jm_spool_report report;
	struct jm_spool_writer spool = {0};
	struct content content = {0};
	char path[JM_PATH_MAX + 2];

	(void)state;
	assert_int_equal(jm_spool_read(scratch_write("t", "hello"), take_block, &content,
				 &report, &error),
		JM_EFORMAT);
	assert_non_null(strstr(error.message, "is no spool"));
	assert_int_equal(
		jm_spool_read("no/such", take_block, &content, &report, NULL), JM_ENOTFOUND);
	assert_int_equal(
		jm_spool_read(scratch_write("t", "JMSP"), take_block, &content, &report, NULL),
		0);
	assert_int_equal(report.bytes_dropped, 4);
	assert_int_equal(jm_spool_read_memory("f", foreign, sizeof(foreign) - 1, take_block,
				 &content, &report, &error),
		JM_EUNSUPPORTED);
	assert_non_null(strstr(error.message, "other byte order"));
	assert_int_equal(jm_spool_close(&spool, NULL), 0);
	assert_int_equal(jm_spool_create(&spool, "no/such/folder/s", NULL), JM_ENOTFOUND);
	assert_int_equal(jm_spool_close(&spool, NULL), 0);
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(jm_spool_create(&spool, path, NULL), JM_EINVAL);
}

/* A full disk, played by a limit on the file's size. */
static void test_full_disk(void **state)
{
	const char *path = scratch_path("f.spool");
	struct rlimit old, small;
	struct jm_spool_report report;
	struct jm_spool_writer spool;
	struct content content = {0};
	struct jm_spool_reading reading = {0};
	size_t kept = 0;
	int result = 0;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 1000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(jm_spool_create(&spool, path, NULL), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 100 && result == 0; i++) {
		reading.before_ns = i;
		reading.value[0] = 2.0 * i;
		result = jm_spool_put(&spool, JM_SPOOL_READING, &reading, sizeof(reading),
			i * JM_SPOOL_FLUSH_NS, NULL);
		kept += result == 0;
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(result, JM_EIO); /* EFBIG */
	assert_int_equal(jm_spool_read(path, take_block, &content, &report, NULL), 0);
	assert_true(content.readings == kept && report.bytes_dropped == 0);
	/* With room again, nothing of what was put is missing. */
	put_reading(&spool, (int64_t)kept + 1, 1000 * JM_SPOOL_FLUSH_NS);
	assert_int_equal(jm_spool_close(&spool, NULL), 0);
	content = (struct content){0};
	assert_int_equal(jm_spool_read(path, take_block, &content, &report, NULL), 0);
	assert_int_equal(content.readings, kept + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_gathering),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_flip),
		cmocka_unit_test(test_no_spool),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
