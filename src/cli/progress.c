/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "report/text.h"

#define TERMINAL_NS (200 * JM_NS_PER_MS)
#define LOG_NS (30 * JM_NS_PER_S)

static void print_duration(double seconds)
{
	if (seconds >= 3600)
		fprintf(stderr, "%d h %d min", (int)(seconds / 3600), (int)(seconds / 60) % 60);
	else if (seconds >= 60)
		fprintf(stderr, "%d min %d s", (int)(seconds / 60), (int)seconds % 60);
	else
		fprintf(stderr, "%d s", (int)(seconds + 0.5));
}

static void print_state(
	const struct jm_cli_progress *state, double done, double total, const char *unit)
{
	double seconds = (double)(jm_clock_monotonic_ns(NULL) - state->phase_begin_ns) / 1e9;
	double rate = seconds > 0 ? (done - state->phase_begin_done) / seconds : 0;

	fprintf(stderr, "%s: %.0f", state->phase, done);
	if (total > 0)
		fprintf(stderr, "/%.0f", total);
	fprintf(stderr, " %s", unit);
	if (total > 0 && rate > 0 && strcmp(unit, "s") != 0)
		fprintf(stderr, ", %.1f/s", rate);
	if (rate > 0 && done < total) {
		fprintf(stderr, ", ");
		print_duration((total - done) / rate);
		fprintf(stderr, " left");
	}
}

static void update(
	void *context, const char *phase, double done, double total, const char *unit)
{
	struct jm_cli_progress *state = context;
	int64_t now = jm_clock_monotonic_ns(NULL);
	int new_phase = strcmp(state->phase, phase) != 0;

	if (new_phase) {
		jm_cli_progress_end(state);
		jm_text_copy(state->phase, sizeof(state->phase), phase);
		state->phase_begin_ns = now;
		state->phase_begin_done = done;
		state->shown_ns = now;
		if (!state->terminal)
			fprintf(stderr, "%s\n", phase);
		return;
	}
	if (now - state->shown_ns < (state->terminal ? TERMINAL_NS : LOG_NS))
		return;
	state->shown_ns = now;
	if (state->terminal)
		fprintf(stderr, "\r\033[K");
	print_state(state, done, total, unit);
	if (!state->terminal)
		fputc('\n', stderr);
	state->line_open = state->terminal;
	fflush(stderr);
}

static void note(void *context, const char *text)
{
	struct jm_cli_progress *state = context;

	jm_cli_progress_end(state);
	jm_text_print(stderr, text);
	fputc('\n', stderr);
}

void jm_cli_progress_init(struct jm_cli_progress *progress)
{
	memset(progress, 0, sizeof(*progress));
	progress->progress.update = update;
	progress->progress.note = note;
	progress->progress.context = progress;
	progress->terminal = isatty(STDERR_FILENO);
}

void jm_cli_progress_end(struct jm_cli_progress *progress)
{
	if (progress->line_open)
		fprintf(stderr, "\r\033[K");
	progress->line_open = 0;
}
