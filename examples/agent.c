// SPDX-License-Identifier: MIT-0
/*
 * The other side of mlx5lm-migrate: does on this host what is asked for in lines of JSON on stdin,
 * and answers on stdout. doc/agent.md is its description.
 */
#include "agent.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"
#include "lines.h"

#define JOURNAL_DIR "/var/lib/mlx5lm"
#define MAX_REQUEST_BYTES ((size_t)1 << 20)

static const char usage[] =
	"Usage: mlx5lm-agent [OPTION]...\n"
	"Answers requests, one line of JSON each, from stdin on stdout: probe, plan, apply,\n"
	"commit, release. mlx5lm-migrate starts it at the destination, over ssh. What was\n"
	"applied and not committed is taken back when stdin ends.\n\n"
	"  --libvirt URI     ask this libvirt daemon which VFs are in use (default\n"
	"                    qemu:///system; \"\" asks none)\n"
	"  --journal DIR     where to note what was before (default " JOURNAL_DIR ";\n"
	"                    \"\" notes nothing)\n"
	"  --timeout SECONDS how long looking at the host may take (default 30)\n"
	"  --root DIR        look at the host below DIR\n"
	"  --help, --version\n\n"
	"Exit status: 0 stdin has ended, 1 failed, 3 usage.\n";

static const struct option long_options[] = {
	{ "libvirt", required_argument, NULL, 'l' }, { "journal", required_argument, NULL, 'J' },
	{ "timeout", required_argument, NULL, 'T' }, { "root", required_argument, NULL, 'D' },
	{ "help", no_argument, NULL, 'h' },	     { "version", no_argument, NULL, 'v' },
	{ NULL, 0, NULL, 0 },
};

static const struct {
	const char *name;
	int (*answer)(struct agent *agent, const json_t *params, json_t **ret);
	const char *members[3]; /* of params */
} methods[] = {
	{ "probe", agent_probe, { NULL } },
	{ "plan", agent_plan, { "pf", "config", NULL } },
	{ "apply", agent_apply, { "pf", "config", NULL } },
	{ "commit", agent_commit, { "vfs", NULL } },
	{ "release", agent_release, { "vfs", NULL } },
};

static int find_and_answer(struct agent *agent, const char *method, const json_t *params,
			   json_t **ret)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		if (strcmp(methods[i].name, method) != 0)
			continue;
		if (refuse_unknown(ret, "params", params, methods[i].members) < 0)
			return -1;
		return methods[i].answer(agent, params, ret);
	}
	return refuse(ret, "not-supported", "use an mlx5lm-agent of the same version at both sides",
		      "unknown method: %s", method);
}

/* What the request asks for; its id in *id, NULL if that cannot be read. */
static int answer_request(struct agent *agent, const json_t *request, json_t **id, json_t **ret)
{
	static const char *const members[] = { "id", "method", "params", NULL };
	const json_t *method = json_object_get(request, "method");
	const json_t *params = json_object_get(request, "params");
	json_t *none;
	int r;

	if (!json_is_object(request))
		return refuse(ret, "invalid-document", NULL, "a request is an object");
	*id = json_object_get(request, "id");
	if (!json_is_integer(*id)) {
		*id = NULL;
		return refuse(ret, "invalid-argument", NULL, "a request needs an integer id");
	}
	if (refuse_unknown(ret, "request", request, members) < 0)
		return -1;
	if (!json_is_string(method) || (params && !json_is_object(params)))
		return refuse(ret, "invalid-argument", NULL,
			      "a request needs a method, a string; its params are an object");
	none = json_object();
	if (!none)
		return -1;
	r = find_and_answer(agent, json_string_value(method), params ? params : none, ret);
	json_decref(none);
	return r;
}

static int write_answer(json_t *id, int r, json_t *answer)
{
	json_t *line = json_object();

	if (!line || json_object_set_new(line, "id", id ? json_incref(id) : json_null()) < 0 ||
	    json_object_set_new(line, r < 0 ? "error" : "result", answer) < 0) {
		json_decref(line);
		return -ENOMEM;
	}
	return write_line(STDOUT_FILENO, line);
}

/* A line, or r negative for one that is none. 0, or -errno if it cannot be answered. */
static int serve(struct agent *agent, int r, const char *line, size_t length)
{
	json_t *id = NULL, *answer = NULL, *request = NULL;
	json_error_t error;

	if (r > 0) {
		request = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
		r = request ? answer_request(agent, request, &id, &answer) :
			      refuse(&answer, "invalid-document", NULL, "no JSON at byte %d",
				     error.position);
	} else if (r == -EFBIG) {
		r = refuse(&answer, "invalid-document", NULL,
			   "a request has at most %zu bytes with its end", MAX_REQUEST_BYTES);
	} else {
		r = refuse(&answer, "invalid-document", NULL, "the last request has no end");
	}
	r = write_answer(id, r, answer);
	json_decref(request);
	return r;
}

/* Until stdin ends or a signal comes: 0; or -errno. */
static int serve_all(struct agent *agent, struct lines *lines, int signal_fd)
{
	struct pollfd fds[] = {
		{ .fd = lines->fd, .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN },
	};
	size_t length = 0;
	char *line = NULL;
	int r;

	for (;;) {
		while ((r = lines_next(lines, &line, &length)) != 0) {
			r = serve(agent, r, line, length);
			if (r < 0)
				return r;
		}
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents)
			return 0;
		r = lines_fill(lines);
		if (r < 0)
			return r;
		if (r == 0)
			return lines_is_inside(lines) ? serve(agent, -EBADMSG, NULL, 0) : 0;
	}
}

/*
 * A step that has begun is finished before one of them counts. ssh may be gone by then: that
 * nobody reads an answer is the end of the connection, too.
 */
static int open_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

static int set_option(struct agent *agent, int option, const char *value)
{
	struct mlx5lm_error *error = NULL;
	uint32_t timeout_ms;
	int r;

	switch (option) {
	case 'l':
		return mlx5lm_probe_options_set_libvirt_uri(agent->probe, *value ? value : NULL);
	case 'J':
		agent->journal = *value ? value : NULL;
		return 0;
	case 'T':
		timeout_ms = (uint32_t)parse_number(value, 1000000) * 1000;
		r = mlx5lm_probe_options_set_timeout_ms(agent->probe, timeout_ms);
		return r < 0 ? r : mlx5lm_probe_options_set_timeout_ms(agent->quick_probe,
								       timeout_ms);
	default:
		if (mlx5lm_ctx_set_root(agent->ctx, value, &error) < 0)
			die(error);
		return 0;
	}
}

/* Negative to go on, else the exit status. */
static int parse(int argc, char **argv, struct agent *agent)
{
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case 'h':
			fputs(usage, stdout);
			return EXIT_READY;
		case 'v':
			printf("mlx5lm-agent %s\n", mlx5lm_version_str());
			return EXIT_READY;
		case '?':
			fputs("See mlx5lm-agent --help.\n", stderr);
			return EXIT_USAGE;
		}
		if (set_option(agent, option, optarg) < 0) {
			fprintf(stderr, "error: %s: not usable\n", optarg);
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fputs("See mlx5lm-agent --help.\n", stderr);
	return EXIT_USAGE;
}

static int run(struct agent *agent, int signal_fd)
{
	struct lines lines;
	int r = lines_init(&lines, STDIN_FILENO, MAX_REQUEST_BYTES);

	if (agent->journal && mkdir(agent->journal, 0700) < 0 && errno != EEXIST)
		fprintf(stderr, "warning: %s: %s\n", agent->journal, strerror(errno));
	if (r == 0)
		r = serve_all(agent, &lines, signal_fd);
	agent_end(agent);
	lines_release(&lines);
	if (r == 0 || r == -EPIPE)
		return EXIT_READY;
	fprintf(stderr, "error: %s\n", strerror(-r));
	return EXIT_NOT_READY;
}

int main(int argc, char **argv)
{
	struct agent agent = { .journal = JOURNAL_DIR };
	int status, signal_fd = open_signals();

	agent.ctx = new_ctx();
	if (signal_fd < 0 || mlx5lm_probe_options_new(&agent.probe) < 0 ||
	    mlx5lm_probe_options_new(&agent.quick_probe) < 0 ||
	    mlx5lm_probe_options_set_libvirt_uri(agent.quick_probe, NULL) < 0 ||
	    mlx5lm_probe_options_set_libvirt_uri(agent.probe, "qemu:///system") < 0) {
		fprintf(stderr, "error: out of memory\n");
		return EXIT_NOT_READY;
	}
	status = parse(argc, argv, &agent);
	if (status < 0)
		status = run(&agent, signal_fd);
	mlx5lm_probe_options_free(agent.quick_probe);
	mlx5lm_probe_options_free(agent.probe);
	mlx5lm_ctx_unref(agent.ctx);
	close(signal_fd);
	return status;
}
