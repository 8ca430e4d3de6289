/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "simulate/internal.h"

int jm_simulate_run(
	const struct jm_simulate_config *config, const char *folder, struct jm_error *reterr)
{
	struct jm_sim_network network = {0};
	struct jm_sim_run run = {0};
	struct jm_sim_conversions conversions = {0};
	struct jm_power_log log = {0};
	struct jm_sim_result result = {config, &network, &run, &conversions, &log};
	int status = jm_simulate_check(config, reterr);

	if (status == 0)
		status = jm_sim_network_init(&network, config, reterr);
	if (status == 0)
		status = jm_sim_schedule(&run, &network, config, reterr);
	if (status == 0)
		status = jm_sim_convert(&conversions, &run, config, reterr);
	if (status == 0)
		status = jm_sim_poll(&log, &conversions, config, run.end_s, reterr);
	if (status == 0)
		status = jm_sim_folder_write(folder, &result, reterr);
	jm_power_log_release(&log);
	jm_sim_conversions_release(&conversions);
	jm_sim_run_release(&run);
	jm_sim_network_release(&network);
	return status;
}
