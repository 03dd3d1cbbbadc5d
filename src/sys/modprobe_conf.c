// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/modprobe_conf.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "sys/cmdline.h"
#include "sys/sysfs.h"
#include "sys/text_file.h"

/* A distribution has about twenty files of some KiB at most. */
#define MAX_FILES 256
#define MAX_FILE_BYTES (64 * 1024)

/* As modprobe.d(5) has them: a file hides those of the same name further down. */
static const char *const places[] = { "etc/modprobe.d", "run/modprobe.d",
				      "usr/local/lib/modprobe.d", "usr/lib/modprobe.d",
				      "lib/modprobe.d" };

void modprobe_conf_release(struct modprobe_conf *conf)
{
	strv_release(&conf->blacklist);
	strv_release(&conf->options);
}

static void use_underscores(char *name)
{
	for (; *name && *name != '='; name++) {
		if (*name == '-')
			*name = '_';
	}
}

/* Takes the text over; what is no plain text is dropped. */
static int add(struct strv *list, char *text)
{
	if (!text)
		return -ENOMEM;
	if (!text_is_plain(text, strlen(text))) {
		free(text);
		return 0;
	}
	use_underscores(text);
	return strv_take(list, text);
}

/* The words of a comma-separated list. */
static int add_list(struct strv *list, const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end) {
		const char *comma = memchr(text, ',', (size_t)(end - text));
		size_t word = (size_t)((comma ? comma : end) - text);

		if (word && add(list, strndup(text, word)) < 0)
			return -ENOMEM;
		text += word + 1;
	}
	return 0;
}

static int parse_line(char *line, struct modprobe_conf *conf)
{
	static const char separators[] = " \t\r";
	char *state, *module, *word = strtok_r(line, separators, &state);

	if (!word || word[0] == '#')
		return 0;
	module = strtok_r(NULL, separators, &state);
	if (!module)
		return 0;
	if (streq(word, "blacklist"))
		return add(&conf->blacklist, strdup(module));
	if (!streq(word, "options") || strncmp(module, "vfio", 4) != 0)
		return 0;
	while ((word = strtok_r(NULL, separators, &state))) {
		if (add(&conf->options, str_printf("%s.%s", module, word)) < 0)
			return -ENOMEM;
	}
	return 0;
}

int modprobe_conf_parse(const char *text, struct modprobe_conf *conf)
{
	_cleanup_free_ char *copy = strdup(text);
	char *next, *line;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	for (char *c = copy; (c = strstr(c, "\\\n"));)
		c[0] = c[1] = ' ';
	for (line = copy; r == 0 && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		r = parse_line(line, conf);
	}
	return r;
}

static int parse_cmdline(const char *cmdline, struct modprobe_conf *conf)
{
	struct cmdline_item item;
	int r = 0;

	while (r == 0 && cmdline_next(&cmdline, &item)) {
		if (!item.value)
			continue;
		if (cmdline_is(&item, "modprobe.blacklist") || cmdline_is(&item, "module_blacklist"))
			r = add_list(&conf->blacklist, item.value, item.value_length);
		else if (cmdline_is(&item, "vfio*"))
			r = add(&conf->options,
				str_printf("%.*s=%.*s", (int)item.name_length, item.name,
					   (int)item.value_length, item.value));
	}
	return r;
}

static bool is_conf(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > 5 && streq(name + length - 5, ".conf");
}

static bool contains(const struct strv *list, const char *name)
{
	for (size_t i = 0; i < list->length; i++) {
		if (streq(list->items[i], name))
			return true;
	}
	return false;
}

/* seen: the names of the files so far. */
static int read_place(const struct root *root, const char *place, struct strv *seen,
		      struct modprobe_conf *conf)
{
	_cleanup_(strv_release) struct strv names = { 0 };
	_cleanup_close_ int fd = sysfs_open_dir(root, "%s", place);
	int r = fd < 0 ? fd : sysfs_list(fd, ".", &names);

	if (r < 0 && r != -ENOENT && r != -ENOMEM)
		conf->missing = place;
	for (size_t i = 0; r == 0 && i < names.length; i++) {
		_cleanup_free_ char *text = NULL;
		char path[PATH_MAX];
		size_t length;

		if (!is_conf(names.items[i]) || contains(seen, names.items[i]))
			continue;
		if (seen->length == MAX_FILES) {
			conf->missing = place;
			return 0;
		}
		r = strv_take(seen, strdup(names.items[i]));
		if (r < 0)
			return r;
		snprintf(path, sizeof(path), "%s/%s", place, names.items[i]);
		r = text_file_read(root, path, MAX_FILE_BYTES, &text, &length);
		if (r == 0)
			r = modprobe_conf_parse(text, conf);
		/* A link to /dev/null is how to switch a file off. */
		else if (r == -EINVAL || r == -ENOENT)
			r = 0;
		else if (r != -ENOMEM) {
			conf->missing = place;
			r = 0;
		}
	}
	return r == -ENOMEM ? r : 0;
}

int modprobe_conf_read(const struct root *root, const char *cmdline, struct modprobe_conf *ret)
{
	_cleanup_(strv_release) struct strv seen = { 0 };
	int r = 0;

	if (cmdline)
		r = parse_cmdline(cmdline, ret);
	else
		ret->missing = "proc/cmdline";
	for (size_t i = 0; r == 0 && i < ARRAY_LENGTH(places); i++)
		r = read_place(root, places[i], &seen, ret);
	return r;
}

enum mlx5lm_answer modprobe_conf_is_blacklisted(const struct modprobe_conf *conf,
						const char *module)
{
	if (contains(&conf->blacklist, module))
		return MLX5LM_ANSWER_YES;
	return conf->missing ? MLX5LM_ANSWER_UNKNOWN : MLX5LM_ANSWER_NO;
}

const char *modprobe_conf_option(const struct modprobe_conf *conf, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = conf->options.length; i > 0; i--) {
		const char *option = conf->options.items[i - 1];

		if (strncmp(option, name, length) == 0 && option[length] == '=')
			return option + length + 1;
	}
	return NULL;
}
