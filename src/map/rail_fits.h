/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fits of a run: of its total first, then of every rail of which there are
 * readings. Where the total is a sum of rails, its fit is the sum of theirs.
 */
#ifndef JM_MAP_RAIL_FITS_H
#define JM_MAP_RAIL_FITS_H

#include "formats/layer_energy_file.h"
#include "map/recording.h"

/* For jm_rail_fits_check: every rail beside the total. */
#define JM_RAIL_ALL "all"

struct jm_rail_fits {
	struct jm_fit_of_rail *fits; /* [n], owned; the first is the total's */
	size_t n;
};

/*
 * Fits; with_all: also rails that are no part of the total, because another one
 * contains them. `given` is a response that is known (NULL: find it). A rail that
 * cannot be fitted has its mean power instead, which is noted. Errors of
 * jm_attribute_fit, where no rail of the total can be fitted. *ret_fits is
 * released with jm_rail_fits_release, also after a failure.
 */
int jm_rail_fits_make(const struct jm_recording *recording, const struct jm_fit_given *given,
	int with_all, const struct jm_progress *progress, struct jm_rail_fits *ret_fits,
	struct jm_error *reterr);
void jm_rail_fits_release(struct jm_rail_fits *fits);

/* JM_ENOTFOUND, with the names that there are, unless `name` is a rail, the total or all. */
int jm_rail_fits_check(
	const struct jm_recording *recording, const char *name, struct jm_error *reterr);

/* Of the total, or a rail by its name; NULL: none. Borrowed. */
const struct jm_fit_of_rail *jm_rail_fits_find(
	const struct jm_rail_fits *fits, const char *name);

/* A rail of the same sensor whose own alignment is known best; NULL: none. Borrowed. */
const struct jm_fit_of_rail *jm_rail_fits_aligned(
	const struct jm_rail_fits *fits, const struct jm_fit_of_rail *other);

/* "total", "part", "inside" or "other": what a rail is to the total. */
const char *jm_fit_of_rail_role(const struct jm_fit_of_rail *fit);

/* [n], borrows from the fits; freed with free(). NULL when out of memory. */
struct jm_layer_energy_rail *jm_rail_fits_table(const struct jm_rail_fits *fits);

/* Writes layer_energy_by_rail.csv. */
int jm_rail_fits_write(const char *path, const struct jm_rail_fits *fits,
	const struct jm_timeline *timeline, struct jm_error *reterr);

#endif
