// SPDX-License-Identifier: MIT-0
/* From words of the command line to a wanted state of a PF. */
#include "wishes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

#define MAX_VFS 4096

static _Noreturn void refuse(const char *what, const char *expected)
{
	fprintf(stderr, "error: %s: expected %s\n", what, expected);
	exit(EXIT_USAGE);
}

/* What a setter of the library said to a value that is part of what. */
static void accept(int r, const char *what, const char *expected)
{
	if (r == -ENOMEM) {
		fprintf(stderr, "error: out of memory\n");
		exit(EXIT_NOT_READY);
	}
	if (r < 0)
		refuse(what, expected);
}

static struct mlx5lm_config *read_config(const char *path)
{
	static char json[1 << 20];
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_config *config;

	if (mlx5lm_config_parse(json, read_file(path, json, sizeof(json)), &config, &error) < 0) {
		print_error(error);
		exit(EXIT_USAGE);
	}
	return config;
}

/* The state of NVIDIA's procedure, for all VFs of the PF. */
static void want_vfs(struct mlx5lm_config *config, uint32_t num_vfs)
{
	enum mlx5lm_eswitch_mode mode = num_vfs ? MLX5LM_ESWITCH_SWITCHDEV : MLX5LM_ESWITCH_LEGACY;

	accept(mlx5lm_config_set_num_vfs(config, num_vfs), "--vfs", "a number of VFs");
	accept(mlx5lm_config_set_eswitch_mode(config, mode), "--vfs", "a number of VFs");
	if (num_vfs == 0)
		return;
	accept(mlx5lm_config_set_vf_attr(config, MLX5LM_VF_ALL, MLX5LM_PORT_ATTR_MIGRATABLE,
					 MLX5LM_PORT_ATTR_STATE_ENABLED), "--vfs", "VFs");
	accept(mlx5lm_config_set_vf_driver(config, MLX5LM_VF_ALL, "mlx5_vfio_pci"), "--vfs", "VFs");
}

static void want_mode(struct mlx5lm_config *config, const char *name)
{
	enum mlx5lm_eswitch_mode mode = MLX5LM_ESWITCH_UNKNOWN;

	if (strcmp(name, mlx5lm_eswitch_mode_str(MLX5LM_ESWITCH_LEGACY)) == 0)
		mode = MLX5LM_ESWITCH_LEGACY;
	else if (strcmp(name, mlx5lm_eswitch_mode_str(MLX5LM_ESWITCH_SWITCHDEV)) == 0)
		mode = MLX5LM_ESWITCH_SWITCHDEV;
	accept(mlx5lm_config_set_eswitch_mode(config, mode), name, "legacy or switchdev");
}

static uint32_t parse_vf(const char *text)
{
	if (strcmp(text, "all") == 0)
		return MLX5LM_VF_ALL;
	return (uint32_t)parse_number(text, MAX_VFS - 1);
}

static enum mlx5lm_port_attr parse_attr(const char *name)
{
	static const enum mlx5lm_port_attr attrs[] = {
		MLX5LM_PORT_ATTR_ROCE,
		MLX5LM_PORT_ATTR_MIGRATABLE,
		MLX5LM_PORT_ATTR_IPSEC_CRYPTO,
		MLX5LM_PORT_ATTR_IPSEC_PACKET,
	};

	for (size_t i = 0; i < sizeof(attrs) / sizeof(*attrs); i++) {
		if (strcmp(name, mlx5lm_port_attr_str(attrs[i])) == 0)
			return attrs[i];
	}
	return MLX5LM_PORT_ATTR_UNKNOWN;
}

static void want_attr(struct mlx5lm_config *config, uint32_t vf_index, enum mlx5lm_port_attr attr,
		      const char *value)
{
	enum mlx5lm_port_attr_state state = MLX5LM_PORT_ATTR_STATE_UNKNOWN;

	if (strcmp(value, "enable") == 0)
		state = MLX5LM_PORT_ATTR_STATE_ENABLED;
	else if (strcmp(value, "disable") == 0)
		state = MLX5LM_PORT_ATTR_STATE_DISABLED;
	accept(mlx5lm_config_set_vf_attr(config, vf_index, attr, state), value,
	       "enable or disable");
}

static void want_representor(struct mlx5lm_config *config, uint32_t vf_index, const char *value)
{
	enum mlx5lm_admin_state state = MLX5LM_ADMIN_STATE_UNKNOWN;

	if (strcmp(value, "up") == 0)
		state = MLX5LM_ADMIN_STATE_UP;
	else if (strcmp(value, "down") == 0)
		state = MLX5LM_ADMIN_STATE_DOWN;
	accept(mlx5lm_config_set_vf_representor_state(config, vf_index, state), value,
	       "up or down");
}

static void want_hw_addr(struct mlx5lm_config *config, uint32_t vf_index, const char *value)
{
	accept(mlx5lm_config_set_vf_hw_addr(config, vf_index, value), value,
	       "a unicast MAC address, for one VF");
}

/* "I:KEY=VALUE", with "all" for I if it is for every VF. */
static void want_of_vf(struct mlx5lm_config *config, char *argument)
{
	char *value = split_at_equals(argument), *key = strchr(argument, ':');
	uint32_t vf_index;

	if (!key)
		refuse(argument, "I:KEY=VALUE");
	*key++ = '\0';
	vf_index = parse_vf(argument);
	if (parse_attr(key) != MLX5LM_PORT_ATTR_UNKNOWN)
		want_attr(config, vf_index, parse_attr(key), value);
	else if (strcmp(key, "hw_addr") == 0)
		want_hw_addr(config, vf_index, value);
	else if (strcmp(key, "driver") == 0)
		accept(mlx5lm_config_set_vf_driver(config, vf_index, value), value,
		       "mlx5_vfio_pci, mlx5_core or nothing");
	else if (strcmp(key, "representor") == 0)
		want_representor(config, vf_index, value);
	else if (strcmp(key, "max_io_eqs") == 0)
		accept(mlx5lm_config_set_vf_max_io_eqs(config, vf_index,
						       (uint32_t)parse_number(value, 65535)),
		       value, "1 to 65535 event queues");
	else if (strcmp(key, "msix_count") == 0)
		accept(mlx5lm_config_set_vf_msix_count(config, vf_index,
						       (uint32_t)parse_number(value, 2048)),
		       value, "1 to 2048 vectors");
	else
		refuse(key, "a setting that --help lists");
}

static void want_mac(struct mlx5lm_config *config, char *argument)
{
	const char *address = split_at_equals(argument);

	want_hw_addr(config, parse_vf(argument), address);
}

static void want_nv(struct mlx5lm_config *config, char *argument)
{
	const char *value = split_at_equals(argument);

	accept(mlx5lm_config_set_nv(config, argument, parse_number(value, MAX_VFS)), argument,
	       "SRIOV_EN=0|1, NUM_OF_VFS=0 to 4096 or VF_MIGRATION_MODE=0|1|2");
}

static void add_wish(struct mlx5lm_config *config, const struct wish *wish)
{
	switch (wish->option) {
	case 'o':
		want_mode(config, wish->argument);
		break;
	case 'f':
		want_of_vf(config, wish->argument);
		break;
	case 'm':
		want_mac(config, wish->argument);
		break;
	case 'r':
		accept(mlx5lm_config_set_vf_release(config, parse_vf(wish->argument)),
		       wish->argument, "a VF");
		break;
	case 'N':
		want_nv(config, wish->argument);
		break;
	case 'F':
		mlx5lm_config_set_firmware_reset(config, 1);
		break;
	case 'G':
		mlx5lm_config_set_live_guests(config, 1);
		break;
	}
}

/* The only wish of that option, or NULL. */
static const struct wish *find_one(const struct wish *wishes, size_t length, int option,
				   const char *name)
{
	const struct wish *found = NULL;

	for (size_t i = 0; i < length; i++) {
		if (wishes[i].option == option && found)
			refuse(name, "it only once");
		if (wishes[i].option == option)
			found = &wishes[i];
	}
	return found;
}

/* From the general to the special, wherever it stood: the file, then --vfs, then the rest. */
struct mlx5lm_config *new_config(struct wish *wishes, size_t length)
{
	const struct wish *file = find_one(wishes, length, 'c', "--config");
	const struct wish *vfs = find_one(wishes, length, 'n', "--vfs");
	struct mlx5lm_config *config = NULL;

	if (file)
		config = read_config(file->argument);
	else
		accept(mlx5lm_config_new(&config), "wishes", "memory");
	if (vfs)
		want_vfs(config, (uint32_t)parse_number(vfs->argument, MAX_VFS));
	for (size_t i = 0; i < length; i++)
		add_wish(config, &wishes[i]);
	return config;
}
