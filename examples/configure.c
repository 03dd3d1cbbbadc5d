// SPDX-License-Identifier: MIT-0
/* Brings a PF to "N VFs ready for live migration": shows the plan, applies it. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "common.h"

static const char usage[] =
	"Usage: mlx5lm-configure --pf BDF --vfs N [OPTION]...\n"
	"Brings a PF to N VFs in switchdev mode, migratable, bound to mlx5_vfio_pci.\n\n"
	"  --pf BDF         the PF, such as 0000:08:00.0\n"
	"  --vfs N          number of VFs; 0 removes them and goes back to legacy mode\n"
	"  --mac I=ADDRESS  hw_addr of VF number I; may be given for each VF\n"
	"  --dry-run        show the plan, change nothing\n"
	"  --shell          print the plan as shell commands, change nothing\n"
	"  --json           print the plan as JSON, change nothing\n"
	"  --libvirt URI    ask this libvirt daemon which VFs are in use (default\n"
	"                   qemu:///system; \"\" asks none)\n"
	"  --help, --version\n\n"
	"Exit status: 0 done, 1 failed, 2 unknown, 3 usage.\n";

static const char *step_text(const struct mlx5lm_step *step, enum mlx5lm_step_key key)
{
	const char *text = "";

	mlx5lm_step_get_str(step, key, &text);
	return text;
}

static void print_plan(const struct mlx5lm_plan *plan)
{
	for (size_t i = 0; i < mlx5lm_plan_length(plan); i++) {
		const struct mlx5lm_step *step = mlx5lm_plan_get_step(plan, i);

		printf("  %2zu  %-15s %s: %s -> %s\n", i + 1, step_text(step, MLX5LM_STEP_ID),
		       step_text(step, MLX5LM_STEP_OBJECT), step_text(step, MLX5LM_STEP_CURRENT),
		       step_text(step, MLX5LM_STEP_WANTED));
		printf("      because: %s\n", step_text(step, MLX5LM_STEP_REASON));
	}
}

static int print_step(const struct mlx5lm_plan *plan, size_t index, enum mlx5lm_step_state state,
		      void *userdata)
{
	const struct mlx5lm_step *step = mlx5lm_plan_get_step(plan, index);

	(void)userdata;
	if (state != MLX5LM_STEP_STATE_STARTED)
		printf("  %2zu of %zu  %-15s %s  %s\n", index + 1, mlx5lm_plan_length(plan),
		       step_text(step, MLX5LM_STEP_ID), step_text(step, MLX5LM_STEP_OBJECT),
		       mlx5lm_step_state_str(state));
	fflush(stdout);
	return 0;
}

/* The state of NVIDIA's procedure, for all VFs of the PF. */
static void want_vfs(struct mlx5lm_config *config, unsigned long num_vfs)
{
	mlx5lm_config_set_num_vfs(config, (uint32_t)num_vfs);
	if (num_vfs == 0) {
		mlx5lm_config_set_eswitch_mode(config, MLX5LM_ESWITCH_LEGACY);
		return;
	}
	mlx5lm_config_set_eswitch_mode(config, MLX5LM_ESWITCH_SWITCHDEV);
	if (mlx5lm_config_set_vf_attr(config, MLX5LM_VF_ALL, MLX5LM_PORT_ATTR_MIGRATABLE,
				      MLX5LM_PORT_ATTR_STATE_ENABLED) < 0 ||
	    mlx5lm_config_set_vf_driver(config, MLX5LM_VF_ALL, "mlx5_vfio_pci") < 0) {
		fprintf(stderr, "error: out of memory\n");
		exit(EXIT_NOT_READY);
	}
}

static void want_mac(struct mlx5lm_config *config, char *argument)
{
	const char *address = split_at_equals(argument);
	uint32_t vf_index = (uint32_t)parse_number(argument, 4095);

	if (mlx5lm_config_set_vf_hw_addr(config, vf_index, address) < 0) {
		fprintf(stderr, "error: %s: not a unicast MAC address\n", address);
		exit(EXIT_USAGE);
	}
}

static void apply(struct mlx5lm_plan *plan, struct mlx5lm_ctx *ctx)
{
	struct mlx5lm_error *error = NULL;

	mlx5lm_plan_set_progress(plan, print_step, NULL, NULL);
	if (mlx5lm_plan_apply(plan, ctx, &error) < 0)
		die(error);
	printf("done\n");
}

static int leave(struct mlx5lm_config *config, int status)
{
	mlx5lm_config_free(config);
	return status;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "pf", required_argument, NULL, 'p' },	     { "vfs", required_argument, NULL, 'n' },
		{ "mac", required_argument, NULL, 'm' },     { "dry-run", no_argument, NULL, 'd' },
		{ "shell", no_argument, NULL, 's' },	     { "json", no_argument, NULL, 'j' },
		{ "libvirt", required_argument, NULL, 'l' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },	     { NULL, 0, NULL, 0 },
	};
	const char *pf = NULL, *libvirt_uri = "qemu:///system";
	struct mlx5lm_config *config;
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_text *text = NULL;
	struct mlx5lm_plan *plan;
	struct mlx5lm_host *host;
	struct mlx5lm_ctx *ctx;
	int option, form = 'a', wanted = 0;

	if (mlx5lm_config_new(&config) < 0)
		return EXIT_NOT_READY;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			pf = optarg;
			break;
		case 'n':
			want_vfs(config, parse_number(optarg, 4096));
			wanted = 1;
			break;
		case 'm':
			want_mac(config, optarg);
			break;
		case 'd':
		case 's':
		case 'j':
			form = option;
			break;
		case 'l':
			libvirt_uri = *optarg ? optarg : NULL;
			break;
		case 'h':
			fputs(usage, stdout);
			return leave(config, EXIT_READY);
		case 'v':
			printf("mlx5lm-configure %s\n", mlx5lm_version_str());
			return leave(config, EXIT_READY);
		default:
			fputs(usage, stderr);
			return leave(config, EXIT_USAGE);
		}
	}
	if (!pf || !wanted || optind < argc) {
		fputs(usage, stderr);
		return leave(config, EXIT_USAGE);
	}
	ctx = new_ctx();
	host = probe_host(ctx, libvirt_uri);
	if (mlx5lm_plan_new(host, pf, config, &plan, &error) < 0)
		die(error);
	if (form == 's' || form == 'j') {
		mlx5lm_plan_serialize(plan, form == 's' ? MLX5LM_PLAN_FORMAT_SHELL :
							  MLX5LM_PLAN_FORMAT_JSON, &text);
		print_text(text);
	} else if (mlx5lm_plan_length(plan) == 0) {
		printf("nothing to do: PF %s is as wanted\n", pf);
	} else {
		printf("plan for PF %s:\n", pf);
		print_plan(plan);
		if (form == 'a')
			apply(plan, ctx);
	}
	mlx5lm_plan_free(plan);
	mlx5lm_host_free(host);
	mlx5lm_ctx_unref(ctx);
	return leave(config, EXIT_READY);
}
