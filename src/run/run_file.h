/* SPDX-License-Identifier: Apache-2.0 */
/* run.json, as far as mapping a run needs it. */
#ifndef JM_RUN_RUN_FILE_H
#define JM_RUN_RUN_FILE_H

#include "joulemap/joulemap.h"

/* "", NaN, 0: the file does not tell, unless said otherwise. */
struct jm_run_info {
	char model[256];          /* fit to be the name of a file */
	char engine[128];         /* "onnxruntime 1.30.0" */
	char sensor[JM_NAME_MAX]; /* its id */
	char rail[JM_NAME_MAX];   /* what the power log holds */
	int simulated;
	double idle_uw;
	double pause_max_ms; /* of random pauses between cycles; 0: there were none */
	enum jm_stamp stamp; /* what the stamps of the latency file mean */
};

/* JM_EFORMAT when it is not JSON or no object, or the error of opening it. */
int jm_run_info_read(const char *path, struct jm_run_info *ret_info, struct jm_error *reterr);

#endif
