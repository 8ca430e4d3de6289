/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fit.json: what the fit of a run found, complete, so that nobody has to fit
 * again to show it: every number reads back as the same double. Not known: NaN,
 * "", as run.h has it.
 */
#ifndef JM_RUN_FIT_FILE_H
#define JM_RUN_FIT_FILE_H

#include "base/file.h"
#include "joulemap/joulemap.h"

#define JM_FIT_FILE_NAME "fit.json"
#define JM_FIT_FILE_SCHEMA 1

/* A file that the fit was made from, as it was then. */
struct jm_fit_source {
	char what[32];          /* "power_log", "readings", "timeline", "latency", ... */
	char path[JM_PATH_MAX]; /* within the folder of fit.json, else from the root */
	int64_t size_bytes;
	int64_t mtime_ns;   /* since 1970, UTC */
	char ends_hash[65]; /* of its first and last 64 KiB, SHA-256 */
};

/* The fit of one rail. */
struct jm_fit_of_rail {
	char sensor[JM_NAME_MAX]; /* its id */
	char rail[JM_NAME_MAX];
	char aligned_as[JM_NAME_MAX]; /* the rail whose response was the guide; "": its own */
	int from_readings;       /* 1: of readings as they were made; 0: of the power log */
	int is_sum;              /* 1: the sum of the fits that are its parts */
	int is_part;             /* 1: the power log holds a sum, of which this is a part */
	int is_inside;           /* 1: a rail of the total contains this one */
	int is_other;            /* 1: neither in the total nor inside it */
	int calibrated;          /* 1: a calibration of the board was used */
	int calibration_dropped; /* 1: there was one, which contradicts the run */
	int given_response;      /* 1: the response was given, not found */
	struct jm_fit_result result;
};

struct jm_fit_file {
	char joulemap[JM_NAME_MAX]; /* the version that fitted */
	char method[JM_NAME_MAX];   /* "fit" */
	/* What stands above the table, as in run.json. */
	char model[256];
	char engine[2 * JM_NAME_MAX + 2];
	char sensor[2 * JM_NAME_MAX];
	int simulated;
	double pause_max_ms;
	double idle_power_w;           /* as it was subtracted */
	struct jm_fit_source *sources; /* [n_sources], owned */
	size_t n_sources;
	struct jm_fit_of_rail *fits; /* [n_fits], owned */
	size_t n_fits;
	struct jm_timeline timeline; /* its layers, without their executions; owned */
};

void jm_fit_file_init(struct jm_fit_file *file);
void jm_fit_file_release(struct jm_fit_file *file);

/* Takes over names and types of the layers. JM_ENOMEM. */
int jm_fit_file_set_layers(
	struct jm_fit_file *file, const struct jm_timeline *timeline, struct jm_error *reterr);

/* Room for one more, unknown in all; NULL when out of memory. Its result is taken. */
struct jm_fit_of_rail *jm_fit_file_add(struct jm_fit_file *file);

/*
 * Notes the present state of a file that was used; `folder` is the one that
 * fit.json goes to. Errors of looking at the file.
 */
int jm_fit_file_add_source(struct jm_fit_file *file, const char *what, const char *path,
	const char *folder, struct jm_error *reterr);

/*
 * 1 when a source is no longer as it was: the fit is of other data. The times of
 * files do not matter where their sizes and ends are the same, so that folders
 * can be copied. *ret_source is the first such source, borrowed; NULL: none.
 */
int jm_fit_file_is_stale(const struct jm_fit_file *file, const char *folder,
	const struct jm_fit_source **ret_source);

/*
 * JM_EUNSUPPORTED: of a later version of joulemap. JM_EFORMAT names file and
 * key. *ret_file is initialised here and to be released after a failure too.
 */
int jm_fit_file_read(const char *path, struct jm_fit_file *ret_file, struct jm_error *reterr);
/* The same of a text; `name` stands in messages. */
int jm_fit_file_parse(const char *name, const char *text, size_t size,
	struct jm_fit_file *ret_file, struct jm_error *reterr);

int jm_fit_file_write(
	const char *path, const struct jm_fit_file *file, struct jm_error *reterr);
/* Freed with free(); NULL when out of memory. */
char *jm_fit_file_format(const struct jm_fit_file *file);

#endif
