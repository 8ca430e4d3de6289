/* SPDX-License-Identifier: Apache-2.0 */
/* Engines from outside, their own options, and probes that go wrong. */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "engines/registry.h"
#include "engines/settings.h"
#include "measure/choose_engine.h"
#include "workload/probe.h"

/* ---- An engine ---------------------------------------------------------------- */

static int probe_well(const struct jm_engine_options *options, struct jm_engine_info *ret_info,
	struct jm_error *reterr)
{
	const char *depth = jm_engine_setting(options, "depth");

	(void)reterr;
	snprintf(ret_info->version, sizeof(ret_info->version), "%s of %ld",
		depth ? depth : "none", (long)getpid());
	return 0;
}

static int probe_crash(const struct jm_engine_options *options, struct jm_engine_info *ret_info,
	struct jm_error *reterr)
{
	(void)options;
	(void)ret_info;
	(void)reterr;
	signal(SIGABRT, SIG_DFL);
	raise(SIGKILL);
	return 0;
}

static int probe_exit(const struct jm_engine_options *options, struct jm_engine_info *ret_info,
	struct jm_error *reterr)
{
	(void)options;
	(void)ret_info;
	(void)reterr;
	_exit(0);
}

static int probe_hang(const struct jm_engine_options *options, struct jm_engine_info *ret_info,
	struct jm_error *reterr)
{
	(void)options;
	(void)ret_info;
	(void)reterr;
	for (;;)
		pause();
	return 0;
}

static int probe_refuse(const struct jm_engine_options *options,
	struct jm_engine_info *ret_info, struct jm_error *reterr)
{
	(void)options;
	(void)ret_info;
	reterr->code = JM_EUNSUPPORTED;
	snprintf(reterr->message, sizeof(reterr->message), "not on a Tuesday");
	return JM_EUNSUPPORTED;
}

static int probe_silent(const struct jm_engine_options *options,
	struct jm_engine_info *ret_info, struct jm_error *reterr)
{
	(void)options;
	(void)ret_info;
	(void)reterr;
	return JM_EIO;
}

static int open_never(void *state, const struct jm_engine_options *options,
	struct jm_engine_info *ret_info, struct jm_error *reterr)
{
	(void)state;
	(void)options;
	(void)ret_info;
	(void)reterr;
	return JM_EENGINE;
}

static const struct jm_graph *graph_none(const void *state)
{
	(void)state;
	return NULL;
}

static int run_never(void *state, const struct jm_span_sink *sink, struct jm_error *reterr)
{
	(void)state;
	(void)sink;
	(void)reterr;
	return JM_EENGINE;
}

static void close_nothing(void *state)
{
	(void)state;
}

static const struct jm_engine_option own_options[] = {
	{"depth", "N", "how deep"},
	{"colour", "NAME", "of what"},
};

static struct jm_engine_ops good_ops(const char *name)
{
	return (struct jm_engine_ops){.abi = JM_ENGINE_ABI,
		.size = sizeof(struct jm_engine_ops),
		.name = name,
		.summary = "for tests",
		.state_size = 1,
		.options = own_options,
		.n_options = 2,
		.probe = probe_well,
		.open = open_never,
		.graph = graph_none,
		.run = run_never,
		.close = close_nothing};
}

/* ---- The registry ------------------------------------------------------------- */

static void refuse_build(const struct jm_engine_ops *ops, int code, const char *text)
{
	struct jm_error error = {0};
	size_t before, after;

	jm_engines(&before);
	assert_int_equal(jm_engines_add(ops, &error), code);
	if (!strstr(error.message, text))
		fail_msg("expected \"%s\", got: %s", text, error.message);
	jm_engines(&after);
	assert_int_equal(before, after);
}

static void refuse(const struct jm_engine_ops *ops, const char *text)
{
	refuse_build(ops, JM_EINVAL, text);
}

static void test_add(void **state)
{
	static struct jm_engine_ops added;
	static const struct jm_engine_option twice[] = {{"a", "A", "a"}, {"a", "A", "a"}};
	static const struct jm_engine_option odd[] = {{"a=b", "A", "a"}};
	struct jm_engine_ops ops = good_ops("guest");

	(void)state;
	ops.abi = 1;
	refuse_build(&ops, JM_EUNSUPPORTED, "version 1 of joulemap/engine.h");
	ops = good_ops("guest");
	ops.size -= 8;
	refuse_build(&ops, JM_EUNSUPPORTED, "set its size by sizeof");
	ops = good_ops(NULL);
	refuse(&ops, "no name");
	ops = good_ops("guest");
	ops.run = NULL;
	refuse(&ops, "'guest' lacks the function 'run'");
	ops = good_ops("guest");
	ops.probe = NULL;
	refuse(&ops, "lacks the function 'probe'");
	ops = good_ops("onnxruntime");
	refuse(&ops, "there is an engine 'onnxruntime' already");
	ops = good_ops("guest");
	ops.options = twice;
	refuse(&ops, "has option 'a' twice");
	ops.options = odd;
	ops.n_options = 1;
	refuse(&ops, "without '='");
	ops.options = NULL;
	refuse(&ops, "counts options");
	added = good_ops("guest");
	assert_int_equal(jm_engines_add(&added, NULL), 0);
	assert_ptr_equal(jm_engine_find("guest"), &added);
	refuse(&added, "there is an engine 'guest' already");
}

/* ---- Own options -------------------------------------------------------------- */

static void refuse_setting(
	struct jm_engine_settings *settings, const char *text, const char *words)
{
	const struct jm_engine_ops ops = good_ops("guest");
	struct jm_error error = {0};

	assert_int_equal(jm_engine_settings_add(settings, &ops, text, &error), JM_EUSAGE);
	if (!strstr(error.message, words))
		fail_msg("expected \"%s\", got: %s", words, error.message);
}

static void test_settings(void **state)
{
	const struct jm_engine_ops ops = good_ops("guest");
	struct jm_engine_settings settings = {.n = 0};
	struct jm_engine_options options = {.settings = settings.list};

	(void)state;
	refuse_setting(&settings, "dept=3", "no option 'dept', did you mean 'depth'?");
	refuse_setting(&settings, "thickness=3", "--engine-help guest");
	refuse_setting(&settings, "=3", "no option ''");
	refuse_setting(&settings, "depth", "needs a value: depth=N");
	refuse_setting(&settings, "depth=", "needs a value: depth=N");
	assert_int_equal(jm_engine_settings_add(&settings, &ops, "depth=3=4", NULL), 0);
	assert_int_equal(jm_engine_settings_add(&settings, &ops, "colour=red", NULL), 0);
	refuse_setting(&settings, "depth=4", "'depth' of engine 'guest' is given twice");
	options.n_settings = settings.n;
	assert_string_equal(jm_engine_setting(&options, "depth"), "3=4");
	assert_string_equal(jm_engine_setting(&options, "colour"), "red");
	assert_null(jm_engine_setting(&options, "dep"));
}

static void test_choose(void **state)
{
	static const char *const texts[] = {"depth=12"}, *const wrong[] = {"dpth=12"};
	struct jm_engine_settings settings;
	struct jm_engine_info info;
	const struct jm_engine_ops *ops;
	struct jm_error error = {0};

	(void)state;
	assert_int_equal(
		jm_engine_choose("guest", texts, 1, &ops, &settings, &info, &error), 0);
	assert_string_equal(ops->name, "guest");
	assert_string_equal(settings.list[0].value, "12");
	/* The preferred engine does not know the option, this one does. */
	assert_int_equal(jm_engine_choose(NULL, texts, 1, &ops, &settings, &info, &error), 0);
	assert_string_equal(ops->name, "guest");
	assert_int_equal(
		jm_engine_choose("guest", wrong, 1, &ops, &settings, &info, &error), JM_EUSAGE);
	assert_int_equal(
		jm_engine_choose("gast", NULL, 0, &ops, &settings, &info, &error), JM_EUSAGE);
	assert_non_null(strstr(error.message, "there is no engine 'gast'"));
}

/* ---- Probes ------------------------------------------------------------------- */

static int probe(int (*function)(const struct jm_engine_options *, struct jm_engine_info *,
			 struct jm_error *),
	double patience_s, struct jm_engine_info *ret_info, struct jm_error *reterr)
{
	struct jm_engine_setting setting = {"depth", "7"};
	struct jm_engine_options options = {
		.settings = &setting, .n_settings = 1, .now_ns = jm_clock_monotonic_ns};
	struct jm_engine_ops ops = good_ops("guest");

	ops.probe = function;
	return jm_probe_engine_within(&ops, &options, patience_s, ret_info, reterr);
}

static void expect_fault(int (*function)(const struct jm_engine_options *,
				 struct jm_engine_info *, struct jm_error *),
	double patience_s, int code, const char *text)
{
	struct jm_engine_info info;
	struct jm_error error = {0};

	assert_int_equal(probe(function, patience_s, &info, &error), code);
	assert_int_equal(error.code, code);
	if (!strstr(error.message, text))
		fail_msg("expected \"%s\", got: %s", text, error.message);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no process is left */
}

static void test_probe(void **state)
{
	struct jm_engine_info info = {.threads = 0};
	struct jm_error error = {0};
	char own[32];

	(void)state;
	assert_int_equal(probe(probe_well, 30, &info, &error), 0);
	assert_int_equal(strncmp(info.version, "7 of ", 5), 0);
	snprintf(own, sizeof(own), "7 of %ld", (long)getpid());
	assert_string_not_equal(info.version, own); /* it was another process */
	expect_fault(probe_refuse, 30, JM_EUNSUPPORTED, "not on a Tuesday");
	expect_fault(probe_silent, 30, JM_EIO, "engine 'guest' cannot be used");
	expect_fault(probe_crash, 30, JM_EENGINE, "'guest' crashed");
	expect_fault(probe_exit, 30, JM_EENGINE, "'guest' ended the process");
	expect_fault(probe_hang, 0.05, JM_EENGINE, "'guest' did not answer within 0.05 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_choose),
		cmocka_unit_test(test_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
