/* SPDX-License-Identifier: Apache-2.0 */
/* Finds INA3221 chips in sysfs, whatever their hwmon and i2c bus numbers. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/sysfs.h"
#include "base/text.h"
#include "sensors/ina3221/ina3221.h"

/* "NC" as a word of its own: not connected. */
static int is_not_connected(const char *label)
{
	const char *found = label;

	while ((found = strstr(found, "NC")) != NULL) {
		char before = found == label ? ' ' : found[-1];
		char after = found[2];

		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", before) &&
			(!after || !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", after)))
			return 1;
		found += 2;
	}
	return 0;
}

/*
 * The i2c address is the name of the device that hwmonN belongs to: the target
 * of its `device` link, else the folder two levels above its real path.
 */
static void find_address(struct jm_ina_chip *chip)
{
	char path[JM_PATH_MAX], target[JM_PATH_MAX];
	char *real, *slash;
	ssize_t n = -1;

	if (jm_path_join(path, chip->path, "device", NULL) == 0)
		n = readlink(path, target, sizeof(target) - 1);
	if (n > 0) {
		target[n] = '\0';
		jm_text_copy(chip->address, sizeof(chip->address), jm_path_name(target));
		return;
	}
	jm_text_copy(chip->address, sizeof(chip->address), jm_path_name(chip->path));
	real = realpath(chip->path, NULL);
	if (!real)
		return;
	for (int level = 0; level < 2; level++) { /* .../1-0040/hwmon/hwmon3 */
		slash = strrchr(real, '/');
		if (slash)
			*slash = '\0';
	}
	if (strstr(jm_path_name(real), "-00"))
		jm_text_copy(chip->address, sizeof(chip->address), jm_path_name(real));
	free(real);
}

static double optional_integer(const char *folder, const char *name, double otherwise)
{
	double value;

	return jm_sysfs_integer(folder, name, &value, NULL) == 0 ? value : otherwise;
}

/* inN and currN are there, N is switched on and labelled as a rail. */
static int look_at_channel(struct jm_ina_chip *chip, int number, struct jm_error *reterr)
{
	struct jm_ina_channel *channel = &chip->channels[chip->n_channels];
	char name[32], path[JM_PATH_MAX];
	int length;

	snprintf(name, sizeof(name), "in%d_input", number);
	length = jm_path_join(path, chip->path, name, reterr);
	if (length < 0)
		return length;
	if (!jm_path_exists(path))
		return 0;
	snprintf(name, sizeof(name), "in%d_enable", number);
	if (optional_integer(chip->path, name, 1.0) < 0.5)
		return 0;
	chip->n_enabled++;
	snprintf(name, sizeof(name), "in%d_label", number);
	length = jm_sysfs_text(chip->path, name, channel->label, sizeof(channel->label), NULL);
	if (length <= 0) /* no label in the device tree */
		snprintf(channel->label, sizeof(channel->label), "channel %d", number);
	if (is_not_connected(channel->label))
		return 0;
	snprintf(name, sizeof(name), "shunt%d_resistor", number);
	channel->shunt_uohm = optional_integer(chip->path, name, 0.0);
	channel->number = number;
	chip->n_channels++;
	return 0;
}

static int look_at_chip(
	struct jm_ina_chip *chip, const char *folder, const char *name, struct jm_error *reterr)
{
	int length = snprintf(chip->path, sizeof(chip->path), "%s/%s", folder, name);

	if (length < 0 || (size_t)length >= sizeof(chip->path))
		return jm_fail(reterr, JM_EINVAL, "path '%.60s...' is too long", folder);
	find_address(chip);
	chip->update_interval_ms = optional_integer(chip->path, "update_interval", 0.0);
	chip->samples = optional_integer(chip->path, "samples", 0.0);
	for (int number = 1; number <= JM_INA_CHANNELS; number++) {
		int result = look_at_channel(chip, number, reterr);

		if (result < 0)
			return result;
	}
	return 0;
}

/* 1: it is one and is filled; 0: something else. */
static int try_entry(struct jm_ina_chip *ret_chip, const char *folder, const char *name,
	struct jm_error *reterr)
{
	char path[JM_PATH_MAX], chip_name[32];
	struct jm_error error = {0};
	int result;

	if (name[0] == '.' || jm_path_join(path, folder, name, NULL) < 0)
		return 0;
	result = jm_sysfs_text(path, "name", chip_name, sizeof(chip_name), &error);
	if (result < 0 || !jm_text_starts_with(chip_name, "ina3221"))
		return 0;
	memset(ret_chip, 0, sizeof(*ret_chip));
	result = look_at_chip(ret_chip, folder, name, reterr);
	return result < 0 ? result : 1;
}

static int by_address(const void *a, const void *b)
{
	const struct jm_ina_chip *first = a, *second = b;

	return strcmp(first->address, second->address);
}

int jm_ina_scan(const struct jm_sensor_options *options, struct jm_ina_chip *ret_chips,
	size_t max, struct jm_error *reterr)
{
	char folder[JM_PATH_MAX];
	struct dirent *entry;
	size_t n = 0;
	DIR *dir;
	int result = jm_path_join(folder, options->sysfs_root ? options->sysfs_root : "",
		"sys/class/hwmon", reterr);

	if (result < 0)
		return result;
	dir = opendir(folder);
	if (!dir && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!dir)
		return jm_fail_errno(reterr, errno, "cannot list '%s'", folder);
	while (n < max && (entry = readdir(dir)) != NULL) {
		result = try_entry(&ret_chips[n], folder, entry->d_name, reterr);
		if (result < 0)
			break;
		n += (size_t)result;
	}
	closedir(dir);
	if (result < 0)
		return result;
	qsort(ret_chips, n, sizeof(ret_chips[0]), by_address);
	return (int)n;
}
