/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rails of known boards mean: which one feeds the whole module, which
 * ones add up to it, which one contains which. Source: device trees of L4T and
 * mainline Linux, energymon's table of Jetson rails; see docs/sensors.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sysfs.h"
#include "base/text.h"
#include "sensors/ina3221/ina3221.h"

/* Rails that feed the whole module: TX1, TX2, Xavier NX, Orin NX/Nano; Nano. */
static const char *const totals[] = {"VDD_IN", "POM_5V_IN"};

/* Boards without such a rail: these add up to the module. */
#define SUM_MAX 6
static const char *const sums[][SUM_MAX] = {
	{"VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"},  /* AGX Orin */
	{"GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"}, /* AGX Xavier */
	{"VDD_GPU", "VDD_CPU_SOC_MSS", "VIN_SYS_5V0"}, /* AGX Thor */
};

/* Rails that another one feeds where there is no total. */
static const struct {
	const char *rail;
	const char *parent;
} contained[] = {
	{"VDDQ_VDD2_1V8AO", "VIN_SYS_5V0"}, /* AGX Orin: counted twice by a plain sum */
};

/* LSB of the bus register; of the shunt register (datasheet, 40 uV). */
#define BUS_LSB_MV 8.0
#define SHUNT_LSB_NV 40000.0
/* The largest value of the shunt register, in LSB: it stands there from then on. */
#define SHUNT_FULL_SCALE 4095.0

enum { SCORE_CONTAINED, SCORE_UNKNOWN, SCORE_SUM, SCORE_TOTAL };

static int is_total(const char *label)
{
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
		if (strcmp(label, totals[i]) == 0)
			return 1;
	return 0;
}

static const char *parent_of(const char *label)
{
	for (size_t i = 0; i < sizeof(contained) / sizeof(contained[0]); i++)
		if (strcmp(label, contained[i].rail) == 0)
			return contained[i].parent;
	return NULL;
}

static int find_rail(const struct jm_ina_source *source, const char *name)
{
	for (size_t i = 0; i < source->info.n_rails; i++)
		if (strcmp(source->rails[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* Place of a label in a sum; -1: not part of it. */
static int place_in_sum(const char *const sum[SUM_MAX], const char *label)
{
	for (int i = 0; i < SUM_MAX && sum[i]; i++)
		if (strcmp(sum[i], label) == 0)
			return i;
	return -1;
}

static int has_whole_sum(const struct jm_ina_source *source, const char *const sum[SUM_MAX])
{
	for (int i = 0; i < SUM_MAX && sum[i]; i++)
		if (find_rail(source, sum[i]) < 0)
			return 0;
	return 1;
}

static void add_rail(struct jm_ina_source *source, const struct jm_ina_chip *chips, size_t chip,
	size_t channel)
{
	const struct jm_ina_channel *from = &chips[chip].channels[channel];
	struct jm_sensor_info *info = &source->info;
	struct jm_rail_info *rail = &source->rails[info->n_rails];

	memset(rail, 0, sizeof(*rail));
	jm_text_copy(rail->name, sizeof(rail->name), from->label);
	rail->quantity = JM_QUANTITY_MV_MA;
	rail->parent = -1;
	rail->quantum[0] = BUS_LSB_MV;
	/* mA = nV / uohm, as the driver computes it */
	rail->quantum[1] = from->shunt_uohm > 0.0 ? SHUNT_LSB_NV / from->shunt_uohm : 0.0;
	rail->range = SHUNT_FULL_SCALE * rail->quantum[1] - 0.5; /* rounded to mA */
	if (!(rail->range > 0.0))
		rail->range = 0.0;
	source->of_rail[info->n_rails].chip = chip;
	source->of_rail[info->n_rails].channel = channel;
	info->n_rails++;
}

static void swap_rails(struct jm_ina_source *source, size_t a, size_t b)
{
	struct jm_rail_info rail = source->rails[a];
	size_t chip = source->of_rail[a].chip, channel = source->of_rail[a].channel;

	source->rails[a] = source->rails[b];
	source->rails[b] = rail;
	source->of_rail[a] = source->of_rail[b];
	source->of_rail[b].chip = chip;
	source->of_rail[b].channel = channel;
}

/* Rails in the order total, members of the sum, others; stable. */
static void order_rails(struct jm_ina_source *source, const char *const sum[SUM_MAX])
{
	int place[JM_INA_RAILS_MAX];
	size_t n = source->info.n_rails;

	for (size_t i = 0; i < n; i++) {
		int in_sum = sum ? place_in_sum(sum, source->rails[i].name) : -1;

		place[i] = is_total(source->rails[i].name) ? -1 : in_sum < 0 ? SUM_MAX : in_sum;
	}
	for (size_t i = 1; i < n; i++) {
		for (size_t j = i; j > 0 && place[j] < place[j - 1]; j--) {
			int other = place[j];

			place[j] = place[j - 1];
			place[j - 1] = other;
			swap_rails(source, j, j - 1);
		}
	}
}

static void set_parents(struct jm_ina_source *source)
{
	struct jm_rail_info *rails = source->rails;
	int has_total = source->info.n_rails && is_total(rails[0].name);

	for (size_t i = 0; i < source->info.n_rails; i++) {
		const char *parent = parent_of(rails[i].name);

		if (has_total)
			rails[i].parent = i ? 0 : -1;
		else
			rails[i].parent = parent ? find_rail(source, parent) : -1;
	}
}

static int score_of(const struct jm_ina_source *source, int whole_sum)
{
	if (is_total(source->rails[0].name))
		return SCORE_TOTAL;
	if (whole_sum)
		return SCORE_SUM;
	for (size_t i = 0; i < source->info.n_rails; i++)
		if (!parent_of(source->rails[i].name))
			return SCORE_UNKNOWN;
	return SCORE_CONTAINED;
}

/* Everything but the rails, which are there already. */
static void finish(struct jm_ina_source *source, const struct jm_sensor_options *options,
	const struct jm_ina_chip *chips)
{
	struct jm_sensor_info *info = &source->info;
	const char *const *sum = NULL;

	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
		if (has_whole_sum(source, sums[i]))
			sum = sums[i];
	order_rails(source, sum);
	set_parents(source);
	source->score = score_of(source, sum != NULL);
	info->kind = JM_SENSOR_WINDOW;
	info->scope = source->score >= SCORE_SUM ? JM_SCOPE_BOARD : JM_SCOPE_OTHER;
	jm_text_copy(info->path, sizeof(info->path), chips[source->chip].path);
	jm_sysfs_text(options->sysfs_root ? options->sysfs_root : "", "proc/device-tree/model",
		info->board, sizeof(info->board), NULL);
	jm_ina_timing_declared(&chips[source->chip], info);
}

/* A sum whose members are spread over chips makes one source of them all. */
static int combine(struct jm_ina_source *source, const struct jm_ina_chip *chips,
	size_t n_chips, const char *const sum[SUM_MAX])
{
	size_t used = 0;

	memset(source, 0, sizeof(*source));
	snprintf(source->info.id, sizeof(source->info.id), "ina3221:");
	for (size_t i = 0; i < n_chips; i++) {
		size_t before = source->info.n_rails, length = strlen(source->info.id);

		for (size_t j = 0; j < chips[i].n_channels; j++)
			if (place_in_sum(sum, chips[i].channels[j].label) >= 0)
				add_rail(source, chips, i, j);
		if (source->info.n_rails == before)
			continue;
		if (!used)
			source->chip = i;
		snprintf(source->info.id + length, sizeof(source->info.id) - length, "%s%s",
			used ? "+" : "", chips[i].address);
		used++;
	}
	return used > 1 && has_whole_sum(source, sum);
}

static int by_score(const void *a, const void *b)
{
	const struct jm_ina_source *first = a, *second = b;

	if (first->score != second->score)
		return second->score - first->score;
	return strcmp(first->info.id, second->info.id);
}

size_t jm_ina_describe(const struct jm_sensor_options *options, const struct jm_ina_chip *chips,
	size_t n_chips, struct jm_ina_source ret_sources[JM_INA_SOURCES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < n_chips && n < JM_INA_SOURCES_MAX; i++) {
		struct jm_ina_source *source = &ret_sources[n];

		if (!chips[i].n_channels)
			continue;
		memset(source, 0, sizeof(*source));
		source->chip = i;
		snprintf(source->info.id, sizeof(source->info.id), "ina3221:%.50s",
			chips[i].address);
		for (size_t j = 0; j < chips[i].n_channels; j++)
			add_rail(source, chips, i, j);
		finish(source, options, chips);
		n++;
	}
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]) && n < JM_INA_SOURCES_MAX; i++) {
		if (!combine(&ret_sources[n], chips, n_chips, sums[i]))
			continue;
		finish(&ret_sources[n], options, chips);
		n++;
	}
	qsort(ret_sources, n, sizeof(ret_sources[0]), by_score);
	return n;
}

void jm_ina_keep_roots(struct jm_ina_source *source)
{
	size_t kept = 0;

	for (size_t i = 0; i < source->info.n_rails; i++) {
		if (source->rails[i].parent >= 0)
			continue;
		source->rails[kept] = source->rails[i];
		source->of_rail[kept] = source->of_rail[i];
		kept++;
	}
	source->info.n_rails = kept;
}

const struct jm_sensor_info *jm_ina_info(struct jm_ina_source *source)
{
	source->info.rails = source->rails;
	return &source->info;
}
