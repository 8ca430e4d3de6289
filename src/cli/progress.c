/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/chat.h"

#define TERMINAL_NS (200 * JM_NS_PER_MS)
#define LOG_NS (30 * JM_NS_PER_S)
#define CLEAR_LINE "\r\033[K"

static void append_duration(char *text, size_t size, double seconds)
{
	if (seconds >= 3600)
		jm_text_append(text, size, "%d h %d min", (int)(seconds / 3600),
			(int)(seconds / 60) % 60);
	else if (seconds >= 60)
		jm_text_append(
			text, size, "%d min %d s", (int)(seconds / 60), (int)seconds % 60);
	else
		jm_text_append(text, size, "%d s", (int)(seconds + 0.5));
}

static void append_state(char *text, size_t size, const struct jm_cli_progress *state,
	double done, double total, const char *unit)
{
	double seconds = (double)(jm_clock_monotonic_ns(NULL) - state->phase_begin_ns) / 1e9;
	double rate = seconds > 0 ? (done - state->phase_begin_done) / seconds : 0;

	jm_text_append(text, size, "%s: %.0f", state->phase, done);
	if (total > 0)
		jm_text_append(text, size, "/%.0f", total);
	jm_text_append(text, size, " %s", unit);
	if (total > 0 && rate > 0 && strcmp(unit, "s") != 0)
		jm_text_append(text, size, ", %.1f/s", rate);
	if (rate > 0 && done < total) {
		jm_text_append(text, size, ", ");
		append_duration(text, size, (total - done) / rate);
		jm_text_append(text, size, " left");
	}
}

static void update(
	void *context, const char *phase, double done, double total, const char *unit)
{
	struct jm_cli_progress *state = context;
	int64_t now = jm_clock_monotonic_ns(NULL);
	char text[256] = "";
	int new_phase = strcmp(state->phase, phase) != 0;

	if (new_phase) {
		jm_cli_progress_end(state);
		jm_text_copy(state->phase, sizeof(state->phase), phase);
		state->phase_begin_ns = now;
		state->phase_begin_done = done;
		state->shown_ns = now;
		if (!state->terminal)
			jm_chat_line("", phase);
		return;
	}
	if (now - state->shown_ns < (state->terminal ? TERMINAL_NS : LOG_NS))
		return;
	state->shown_ns = now;
	jm_text_append(text, sizeof(text) - 1, "%s", state->terminal ? CLEAR_LINE : "");
	append_state(text, sizeof(text) - 1, state, done, total, unit);
	if (!state->terminal)
		jm_text_append(text, sizeof(text), "\n");
	jm_chat_state(text);
	state->line_open = state->terminal;
}

static void note(void *context, const char *text)
{
	struct jm_cli_progress *state = context;

	jm_cli_progress_end(state);
	jm_chat_line("", text);
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
		jm_chat_state(CLEAR_LINE);
	progress->line_open = 0;
}
