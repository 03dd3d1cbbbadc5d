// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Text of and about a kernel: its configuration, its command line, modprobe.d, the indexes of its
 * modules. The same text goes to all; accepted means that it is a configuration.
 */
#include <ctype.h>
#include <errno.h>

#include "fuzz.h"
#include "sys/cmdline.h"
#include "sys/kernel_config.h"
#include "sys/modprobe_conf.h"
#include "sys/module_aliases.h"
#include "sys/module_index.h"

static struct mlx5lm_host *new_host(void)
{
	struct mlx5lm_host *host;

	MUST(host_new(&host) == 0);
	return host;
}

/* A configuration with none of them tells of all symbols that there are. */
static const struct mlx5lm_host *known_symbols(void)
{
	static const char none[] = "CONFIG_MODULES=y\n";
	static struct mlx5lm_host *host;

	if (!host) {
		host = new_host();
		MUST(kernel_config_parse(none, strlen(none), host) == 0);
		MUST(host->num_configs > 0);
	}
	return host;
}

/* Nothing but known symbols, each once and with what the text says, or "n". */
static bool check_config(const uint8_t *data, size_t size)
{
	const struct mlx5lm_host *known = known_symbols();
	struct mlx5lm_host *host = new_host();
	int r = kernel_config_parse((const char *)data, size, host);
	size_t next = 0;

	MUST(r == 0 || (r == -EBADMSG && !host->num_configs));
	for (size_t i = 0; i < host->num_configs; i++) {
		const struct config_fact *config = &host->configs[i];
		char *line = str_printf("CONFIG_%s=%s", config->name, config->value);

		while (next < known->num_configs && !streq(known->configs[next].name, config->name))
			next++;
		MUST(next++ < known->num_configs);
		MUST(line && (streq(config->value, "n") || fuzz_has(data, size, line)));
		free(line);
	}
	mlx5lm_host_free(host);
	return r == 0;
}

/* What was selected is in the text, and would be selected again. */
static void check_cmdline(const char *text)
{
	char *selected = NULL, *again = NULL;
	struct cmdline_item item;
	const char *at;

	MUST(cmdline_select(text, &selected) == 0);
	at = selected;
	while (cmdline_next(&at, &item)) {
		MUST(item.name >= item.text && item.name_length <= item.length);
		MUST(!item.value || item.value + item.value_length <= item.text + item.length);
		MUST(memmem(text, strlen(text), item.text, item.length));
	}
	MUST(cmdline_select(selected, &again) == 0);
	MUST(streq(selected, again));
	free(again);
	free(selected);
}

/* What modprobe.d and the command line say of modules is in one form. */
static void check_conf(struct modprobe_conf *conf)
{
	for (size_t i = 0; i < conf->blacklist.length; i++) {
		const char *module = conf->blacklist.items[i];

		/* No module's name has a '='; what stands behind one is nobody's. */
		MUST(module[0] && strcspn(module, "\t\n-") >= strcspn(module, "="));
		MUST(modprobe_conf_is_blacklisted(conf, module) == MLX5LM_ANSWER_YES);
	}
	for (size_t i = 0; i < conf->options.length; i++) {
		MUST(strncmp(conf->options.items[i], "vfio", 4) == 0);
		for (const char *c = conf->options.items[i]; *c; c++)
			MUST(isprint((unsigned char)*c));
	}
	modprobe_conf_release(conf);
}

static void check_modprobe_conf(const char *text)
{
	static const struct root nowhere = { .fd = -1 };
	struct modprobe_conf of_file = { 0 }, of_cmdline = { 0 };

	MUST(modprobe_conf_parse(text, &of_file) == 0);
	check_conf(&of_file);
	MUST(modprobe_conf_read(&nowhere, text, &of_cmdline) == 0);
	MUST(of_cmdline.missing);
	check_conf(&of_cmdline);
}

/* A module that is found has its file's name, and the path is in the text. */
static void check_index(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "vfio_pci", "mlx5_vfio_pci", "vfio" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *text = (const char *)data, *path, *slash;
		size_t length;

		if (!module_index_find(text, size, names[i], &path, &length))
			continue;
		MUST(path >= text && path + length <= text + size);
		MUST(path == text || path[-1] == '\n');
		MUST(!memchr(path, ':', length) && !memchr(path, '\n', length));
		slash = memrchr(path, '/', length);
		slash = slash ? slash + 1 : path;
		MUST((size_t)(path + length - slash) >= strlen(names[i]) + 3);
		MUST(memcmp(slash + strlen(names[i]), ".ko", 3) == 0);
	}
}

/* The module of an alias is a word of the text, without what no name has. */
static void check_aliases(const uint8_t *data, size_t size)
{
	static const char alias[] = "vfio_pci:v000015B3d0000101Esv000015B3sd00000040bc02sc00i00";
	char *text = fuzz_string(data, size), *module;

	MUST(module_aliases_find(text, alias, &module) == 0);
	MUST(!module || fuzz_has(data, size, module));
	free(module);
	free(text);
	text = fuzz_string(data, size);
	MUST(module_aliases_find_builtin(text, size, alias, &module) == 0);
	MUST(!module || fuzz_has(data, size, module));
	free(module);
	free(text);
}

enum fuzz_result fuzz_one(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	bool is_config = check_config(data, size);

	check_cmdline(text);
	check_modprobe_conf(text);
	check_index(data, size);
	check_aliases(data, size);
	free(text);
	return is_config ? FUZZ_ACCEPTED : FUZZ_REFUSED;
}
