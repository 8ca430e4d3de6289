/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "simulate/internal.h"

int jm_simulate_run(
	const struct jm_simulate_config *config, const char *folder, struct jm_error *reterr)
{
	struct jm_simulated_network network = {0};
	struct jm_simulated_run run = {0};
	struct jm_simulated_conversions conversions[JM_SIMULATE_RAILS_MAX] = {{0}};
	struct jm_power_log log = {0};
	struct jm_simulated_result result = {config, &network, &run, conversions, &log, 0};
	int status = jm_simulate_check(config, reterr);

	if (status == 0)
		status = jm_simulated_network_init(&network, config, reterr);
	if (status == 0)
		status = jm_simulated_schedule(&run, &network, config, reterr);
	if (status == 0)
		status = jm_simulated_convert(conversions, &run, config, reterr);
	if (status == 0)
		status = jm_simulated_poll(&log, conversions, config, run.end_s, reterr);
	if (status == 0)
		jm_simulated_disturb(&log, &run, config);
	if (status == 0)
		status = jm_simulated_folder_write(folder, &result, &log, reterr);
	jm_power_log_release(&log);
	for (size_t r = 0; r < JM_SIMULATE_RAILS_MAX; r++)
		jm_simulated_conversions_release(&conversions[r]);
	jm_simulated_run_release(&run);
	jm_simulated_network_release(&network);
	return status;
}
