/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A power sensor from outside: skeleton to copy. It reads two numbers, watts of
 * the whole board and of the processor in it, "5.25 2.10\n", from a text file
 * that some other program keeps up to date, or line by line from a named pipe.
 *
 *     cc -shared -fPIC sensor_plugin.c $(pkg-config --cflags joulemap) -o sensor_plugin.so
 *     joulemap sensors --plugin ./sensor_plugin.so --sensor textfile:/tmp/power
 */
#define _POSIX_C_SOURCE 200809L

#include <joulemap/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RAILS 2

/* Everything of one open sensor: joulemap gives the storage, zeroed. */
struct sensor {
	struct jm_sensor_info info;
	struct jm_rail_info rails[RAILS];
	int is_open, is_pipe, fd;
	char text[256]; /* of a pipe: what came of the line that is not complete */
	size_t n_text;
	int64_t (*now_ns)(void *clock);
	void *clock;
};

/* Code and words of a failure; reterr may be NULL. */
static int fail(struct jm_error *reterr, int code, const char *format, ...)
{
	va_list arguments;

	if (reterr) {
		reterr->code = code;
		reterr->sys_errno = 0;
		va_start(arguments, format);
		vsnprintf(reterr->message, sizeof(reterr->message), format, arguments);
		va_end(arguments);
	}
	return code;
}

/* ---- What it is ---------------------------------------------------------------- */

static void describe_rail(struct jm_rail_info *rail, const char *name, int parent)
{
	memset(rail, 0, sizeof(*rail));
	snprintf(rail->name, sizeof(rail->name), "%s", name);
	rail->quantity = JM_QUANTITY_UW;
	rail->parent = parent;
	rail->quantum[0] = rail->quantum[1] = (double)NAN; /* nobody knows */
}

/* All that can be known without opening it. */
static int describe(
	const char *path, struct sensor *sensor, int *ret_is_pipe, struct jm_error *reterr)
{
	struct jm_sensor_info *info = &sensor->info;
	const char *slash = strrchr(path, '/');
	struct stat status;

	if (stat(path, &status) != 0)
		return fail(reterr, errno == ENOENT ? JM_ENOTFOUND : JM_EIO,
			"cannot open '%.200s': %s", path, strerror(errno));
	*ret_is_pipe = S_ISFIFO(status.st_mode);
	describe_rail(&sensor->rails[0], "board", -1);
	describe_rail(&sensor->rails[1], "cpu", 0); /* the board's power contains it */
	memset(info, 0, sizeof(*info));
	snprintf(info->id, sizeof(info->id), "textfile:%.40s", slash ? slash + 1 : path);
	snprintf(info->path, sizeof(info->path), "%.255s", path);
	snprintf(info->provenance, sizeof(info->provenance), "whoever writes the %s knows",
		*ret_is_pipe ? "pipe" : "file");
	info->kind = JM_SENSOR_INSTANT;
	info->scope = JM_SCOPE_BOARD;
	/* A line of a pipe is a value of the moment at which it came. */
	info->flags = JM_SENSOR_ON_REQUEST | (*ret_is_pipe ? JM_SENSOR_STAMPED : 0u);
	info->poll_ms = 5;
	info->rails = sensor->rails;
	info->n_rails = RAILS;
	return 0;
}

/* It cannot be looked for: it is there when a file is named (JM_EUSAGE: none is). */
static int probe(const struct jm_sensor_options *options, const struct jm_sensor_found *found,
	struct jm_error *reterr)
{
	struct sensor sensor;
	int is_pipe, result;

	if (!options->argument)
		return fail(reterr, JM_EUSAGE,
			"sensor 'textfile' needs a file, as in 'textfile:FILE'");
	memset(&sensor, 0, sizeof(sensor));
	result = describe(options->argument, &sensor, &is_pipe, reterr);
	if (result == 0)
		result = found->found(found->context, &sensor.info);
	return result < 0 ? result : 1;
}

static int open_sensor(void *state, const struct jm_sensor_info *info,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	struct sensor *sensor = state;
	const char *path = options->argument ? options->argument : info->path;
	int result = describe(path, sensor, &sensor->is_pipe, reterr);

	if (result < 0)
		return result;
	/* Without O_NONBLOCK a pipe would be opened only once somebody writes. */
	sensor->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (sensor->fd < 0)
		return fail(reterr, errno == EACCES ? JM_EPERM : JM_EIO,
			"cannot open '%.200s': %s", path, strerror(errno));
	sensor->is_open = 1;
	sensor->now_ns = options->now_ns;
	sensor->clock = options->clock;
	return 0;
}

static const struct jm_sensor_info *info_of(const void *state)
{
	return &((const struct sensor *)state)->info;
}

/* ---- Reading --------------------------------------------------------------------- */

/* The two numbers of a line. */
static int parse(const struct sensor *sensor, const char *line, double ret_watts[RAILS],
	struct jm_error *reterr)
{
	const char *at = line;

	for (size_t i = 0; i < RAILS; i++) {
		char *end;

		ret_watts[i] = strtod(at, &end);
		if (end == at || !isfinite(ret_watts[i]))
			return fail(reterr, JM_ESENSOR,
				"'%.200s' says '%.40s', which is not two numbers of watts",
				sensor->info.path, line);
		at = end;
	}
	return 0;
}

static int deliver(const struct jm_reading_sink *sink, const double watts[RAILS],
	int64_t before_ns, int64_t after_ns)
{
	int result = 0;

	for (size_t i = 0; i < RAILS && result >= 0; i++) {
		struct jm_reading reading;

		reading.before_ns = before_ns;
		reading.after_ns = after_ns;
		reading.value[0] = watts[i] * 1e6; /* JM_QUANTITY_UW */
		reading.value[1] = 0;
		result = sink->reading(sink->context, i, &reading);
	}
	return result;
}

/* A file that is being written just now has no value: NaN, never 0. */
static int read_file(
	struct sensor *sensor, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	double watts[RAILS] = {(double)NAN, (double)NAN};
	int64_t before_ns = sensor->now_ns(sensor->clock), after_ns;
	char text[256];
	ssize_t n = pread(sensor->fd, text, sizeof(text) - 1, 0);
	int result = 0;

	after_ns = sensor->now_ns(sensor->clock);
	if (n < 0)
		return fail(reterr, JM_ESENSOR, "cannot read '%.200s': %s", sensor->info.path,
			strerror(errno));
	text[n] = '\0';
	if (strchr(text, '\n'))
		result = parse(sensor, strtok(text, "\n"), watts, reterr);
	return result < 0 ? result : deliver(sink, watts, before_ns, after_ns);
}

/* The last complete line, if any; when those before it came nobody knows. */
static int take_lines(
	struct sensor *sensor, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	int64_t now_ns = sensor->now_ns(sensor->clock);
	char *end, *line = sensor->text, *next;
	double watts[RAILS];
	int result;

	sensor->text[sensor->n_text] = '\0';
	end = strrchr(sensor->text, '\n');
	if (!end && sensor->n_text == sizeof(sensor->text) - 1)
		return fail(reterr, JM_ESENSOR, "a line of '%.200s' is too long",
			sensor->info.path);
	if (!end)
		return 0;
	*end = '\0';
	while ((next = strchr(line, '\n')))
		line = next + 1;
	result = parse(sensor, line, watts, reterr);
	sensor->n_text -= (size_t)(end + 1 - sensor->text);
	memmove(sensor->text, end + 1, sensor->n_text);
	return result < 0 ? result : deliver(sink, watts, now_ns, now_ns);
}

static int read_pipe(
	struct sensor *sensor, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	struct pollfd poll_fd;
	ssize_t n;

	do {
		n = read(sensor->fd, sensor->text + sensor->n_text,
			sizeof(sensor->text) - 1 - sensor->n_text);
		if (n > 0) {
			int result;

			sensor->n_text += (size_t)n;
			result = take_lines(sensor, sink, reterr);
			if (result < 0)
				return result;
		}
	} while (n > 0);
	if (n < 0 && errno != EAGAIN)
		return fail(reterr, JM_ESENSOR, "cannot read '%.200s': %s", sensor->info.path,
			strerror(errno));
	/* Nobody writes: not yet, or no more. */
	poll_fd.fd = sensor->fd;
	poll_fd.events = POLLIN;
	if (n == 0 && poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLHUP))
		return fail(reterr, JM_ESENSOR, "whoever wrote to '%.200s' is gone",
			sensor->info.path);
	return 0;
}

static int read_sensor(void *state, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	struct sensor *sensor = state;

	return sensor->is_pipe ? read_pipe(sensor, sink, reterr)
			       : read_file(sensor, sink, reterr);
}

/* A pipe can be waited on: nobody has to poll it. */
static int descriptor(const void *state)
{
	const struct sensor *sensor = state;

	return sensor->is_pipe ? sensor->fd : -1;
}

static void close_sensor(void *state)
{
	struct sensor *sensor = state;

	if (sensor->is_open)
		close(sensor->fd);
	sensor->is_open = 0;
}

/* ---- The table and the plug-in ------------------------------------------------------ */

static const struct jm_sensor_ops text_file = {
	.abi = JM_SENSOR_ABI,
	.size = sizeof(struct jm_sensor_ops),
	.name = "textfile",
	.summary = "two numbers in a text file or pipe (textfile:FILE)",
	.state_size = sizeof(struct sensor),
	.probe = probe,
	.open = open_sensor,
	.info = info_of,
	.read = read_sensor,
	.descriptor = descriptor,
	.close = close_sensor,
};

static const struct jm_sensor_ops *const sensors[] = {&text_file};

const struct jm_plugin *joulemap_plugin(void)
{
	static const struct jm_plugin plugin = {
		.abi = JM_PLUGIN_ABI,
		.size = sizeof(struct jm_plugin),
		.name = "sensor_plugin",
		.version = "1.0",
		.sensors = sensors,
		.n_sensors = 1,
	};

	return &plugin;
}
