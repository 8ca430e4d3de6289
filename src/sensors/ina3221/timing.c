/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversion schedule of an INA3221. In continuous mode the chip converts
 * shunt and bus of every enabled channel in turn; one round is
 *     channels x (bus conversion time + shunt conversion time)
 * and the driver keeps both conversion times equal. Drivers differ in whether
 * update_interval counts the averages (`samples`), and in whether a read waits
 * for the next conversion (docs/sensors.md).
 */
#include <math.h>
#include <stdio.h>

#include "sensors/ina3221/ina3221.h"

/* Conversion times of the chip, us (datasheet, configuration register). */
static const double conversion_us[] = {140, 204, 332, 588, 1100, 2116, 4156, 8244};
#define N_CONVERSIONS (sizeof(conversion_us) / sizeof(conversion_us[0]))

/* A read that takes at least this part of a round has waited for a conversion. */
#define BLOCKING_PART 0.2

/* A register over a 100 kHz bus takes 0.5 ms: less says nothing about waiting. */
#define BLOCKING_MIN_MS 0.8

/* Reads per round that bracket each conversion well enough. */
#define READS_PER_ROUND 6.0

static double round_ms_of(const struct jm_ina_chip *chip, size_t i)
{
	return chip->n_enabled * 2.0 * conversion_us[i] * 1e-3;
}

/*
 * The conversion time whose round, in whole ms as the driver reads it back, is
 * interval_ms. Returns its index; -1: none or, *ret_ambiguous, several.
 */
static int match_interval(
	const struct jm_ina_chip *chip, double interval_ms, int *ret_ambiguous)
{
	int found = -1;

	*ret_ambiguous = 0;
	for (size_t i = 0; i < N_CONVERSIONS; i++) {
		if (fabs(round(round_ms_of(chip, i)) - round(interval_ms)) > 0.5)
			continue;
		*ret_ambiguous = found >= 0;
		found = (int)i;
	}
	return *ret_ambiguous ? -1 : found;
}

static void set_timing(const struct jm_ina_chip *chip, double interval_ms,
	struct jm_sensor_info *info, const char *reads)
{
	int ambiguous, index = match_interval(chip, interval_ms, &ambiguous);
	char averages[96] = "";

	info->round_ms = index >= 0 ? round_ms_of(chip, (size_t)index) : 0.0;
	info->window_ms = index >= 0 ? conversion_us[index] * 1e-3 : 0.0;
	if (ambiguous)
		info->round_ms = interval_ms;
	info->samples = chip->samples > 1.5 ? (unsigned)(chip->samples + 0.5) : 0;
	if (chip->samples > 1.5) {
		info->window_ms = 0.0; /* a low-pass, not a block mean */
		snprintf(averages, sizeof(averages),
			"; samples %.0f: low-pass with a time constant of about %.0f rounds",
			chip->samples, chip->samples);
	}
	if (chip->update_interval_ms <= 0.0)
		snprintf(info->provenance, sizeof(info->provenance),
			"no update_interval: round and window unknown; %s", reads);
	else if (ambiguous)
		snprintf(info->provenance, sizeof(info->provenance),
			"update_interval %.0f ms, %d channels: several conversion times fit, "
			"window "
			"unknown%s; %s",
			chip->update_interval_ms, chip->n_enabled, averages, reads);
	else if (index < 0)
		snprintf(info->provenance, sizeof(info->provenance),
			"update_interval %.0f ms fits no conversion time of %d channels: round "
			"and "
			"window unknown; %s",
			chip->update_interval_ms, chip->n_enabled, reads);
	else
		snprintf(info->provenance, sizeof(info->provenance),
			"update_interval %.0f ms, %d channels: conversions of %.3f ms%s; %s",
			chip->update_interval_ms, chip->n_enabled, conversion_us[index] * 1e-3,
			averages, reads);
}

void jm_ina_timing_declared(const struct jm_ina_chip *chip, struct jm_sensor_info *info)
{
	set_timing(chip, chip->update_interval_ms, info, "reads not timed yet");
	info->poll_ms = info->round_ms > 0.0 ? info->round_ms / READS_PER_ROUND : 1.0;
}

void jm_ina_timing_measured(
	const struct jm_ina_chip *chip, double read_ms, struct jm_sensor_info *info)
{
	double pass_ms = 2.0 * (double)info->n_rails * read_ms;
	double interval_ms = chip->update_interval_ms;
	double waits_ms = BLOCKING_PART * interval_ms;
	char reads[96];
	int blocking;

	/* The older driver counts averages in the interval and waits for them all. */
	if (waits_ms < BLOCKING_MIN_MS)
		waits_ms = BLOCKING_MIN_MS;
	blocking = interval_ms > 0.0 && read_ms >= waits_ms;
	if (blocking)
		info->flags |= JM_SENSOR_BLOCKING;
	snprintf(reads, sizeof(reads), "a read takes %.3g ms: %s", read_ms,
		blocking ? "it waits for a conversion" : "it answers at once");
	if (blocking && chip->samples > 1.5)
		interval_ms /= chip->samples;
	set_timing(chip, interval_ms, info, reads);
	info->poll_ms = info->round_ms > 0.0 ? info->round_ms / READS_PER_ROUND : 1.0;
	if (info->poll_ms < 1.25 * pass_ms)
		info->poll_ms = 1.25 * pass_ms;
	if (blocking) /* reads pace themselves, a little rest keeps the deadline */
		info->poll_ms = 1.05 * pass_ms;
}
