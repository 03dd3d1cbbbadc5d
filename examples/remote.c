// SPDX-License-Identifier: MIT-0
/* The agent at the destination, by ssh: one request at a time, each with a deadline. */
#include "remote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A snapshot with thousands of VFs. */
#define MAX_ANSWER_BYTES ((size_t)8 << 20)
#define ANSWER_DEADLINE_MS 120000
#define CLOSE_DEADLINE_MS 20000

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

static int64_t now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Nothing that ssh could take for an option, or a URI for something else. */
static int is_word(const char *text, const char *more)
{
	size_t n = strspn(text, letters);

	while (text[n] && strchr(more, text[n]))
		n += 1 + strspn(text + n + 1, letters);
	return n > 0 && text[n] == '\0' && text[0] != '-';
}

static int is_port(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && n < 6 && text[n] == '\0';
}

static int split(char *text, struct target *ret)
{
	char *host = text, *port, *at = strrchr(text, '@');

	if (at) {
		*at = '\0';
		host = at + 1;
	}
	if (*host == '[') {
		port = strchr(++host, ']');
		if (!port || (port[1] && port[1] != ':'))
			return -EINVAL;
		*port++ = '\0';
	} else {
		port = strchr(host, ':');
	}
	if (port && *port)
		*port++ = '\0';
	else
		port = NULL;
	if ((at && !is_word(text, "")) || !is_word(host, ":%") || (port && !is_port(port)))
		return -EINVAL;
	ret->user = at ? strdup(text) : NULL;
	ret->host = strdup(host);
	ret->port = port ? strdup(port) : NULL;
	return (at && !ret->user) || !ret->host || (port && !ret->port) ? -ENOMEM : 0;
}

int target_parse(const char *uri, struct target *ret)
{
	static const char scheme[] = "ssh://";
	size_t length;
	char *text;
	int r;

	*ret = (struct target){ 0 };
	if (strncmp(uri, scheme, sizeof(scheme) - 1) != 0)
		return -EINVAL;
	text = strdup(uri + sizeof(scheme) - 1);
	if (!text)
		return -ENOMEM;
	length = strlen(text);
	if (length && text[length - 1] == '/')
		text[length - 1] = '\0';
	r = split(text, ret);
	free(text);
	return r;
}

char *target_libvirt_uri(const struct target *target)
{
	int is_v6 = strchr(target->host, ':') != NULL;
	char *uri;

	if (asprintf(&uri, "qemu+ssh://%s%s%s%s%s%s%s/system", target->user ? target->user : "",
		     target->user ? "@" : "", is_v6 ? "[" : "", target->host, is_v6 ? "]" : "",
		     target->port ? ":" : "", target->port ? target->port : "") < 0)
		return NULL;
	return uri;
}

void target_release(struct target *target)
{
	free(target->user);
	free(target->host);
	free(target->port);
}

/*
 * Ctrl-C is for the migration: ssh must not end at it, and leave the destination alone. Nor must
 * it hold what this process has open.
 */
static _Noreturn void run_ssh(const struct target *target, const char *command, int in, int out)
{
	const char *argv[20];
	sigset_t none;
	int n = 0;

	argv[n++] = "ssh";
	argv[n++] = "-T";
	argv[n++] = "-oConnectTimeout=15";
	argv[n++] = "-oServerAliveInterval=5";
	argv[n++] = "-oServerAliveCountMax=4";
	if (target->user) {
		argv[n++] = "-l";
		argv[n++] = target->user;
	}
	if (target->port) {
		argv[n++] = "-p";
		argv[n++] = target->port;
	}
	argv[n++] = "--";
	argv[n++] = target->host;
	argv[n++] = command;
	argv[n] = NULL;
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
		execvp(argv[0], (char **)argv);
	fprintf(stderr, "error: ssh: %s\n", strerror(errno));
	_exit(127);
}

int remote_open(struct remote *remote, const struct target *target, const char *command)
{
	int to[2], from[2], r;

	*remote = (struct remote){ .name = target->host, .signal_fd = -1 };
	if (pipe2(to, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(from, O_CLOEXEC) < 0) {
		r = -errno;
		close(to[0]);
		close(to[1]);
		return r;
	}
	r = lines_init(&remote->from_agent, from[0], MAX_ANSWER_BYTES);
	remote->pid = r < 0 ? -1 : fork();
	if (remote->pid == 0)
		run_ssh(target, command, to[0], from[1]);
	if (r == 0 && remote->pid < 0)
		r = -errno;
	close(to[0]);
	close(from[1]);
	remote->to_agent = to[1];
	if (r == 0)
		return 0;
	close(to[1]);
	close(from[0]);
	lines_release(&remote->from_agent);
	return r;
}

/* 1 if the agent has said something, or has ended; 0 if it has not in time; -errno. */
static int wait_for_agent(struct remote *remote, int64_t deadline_ms)
{
	struct pollfd fds[] = {
		{ .fd = remote->from_agent.fd, .events = POLLIN },
		{ .fd = remote->signal_fd, .events = POLLIN },
	};

	while (now_ms() < deadline_ms) {
		if (poll(fds, 2, (int)(deadline_ms - now_ms()) + 1) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents && remote->on_signal)
			remote->on_signal(remote->userdata);
		if (fds[0].revents)
			return 1;
	}
	return 0;
}

/* The next line, as JSON; NULL, and why there is none in *problem. */
static json_t *read_answer(struct remote *remote, const char **problem)
{
	int64_t deadline_ms = now_ms() + ANSWER_DEADLINE_MS;
	size_t length = 0;
	char *line = NULL;
	json_t *answer;
	int r;

	while ((r = lines_next(&remote->from_agent, &line, &length)) == 0) {
		r = wait_for_agent(remote, deadline_ms);
		if (r > 0)
			r = lines_fill(&remote->from_agent);
		else if (r == 0)
			r = -ETIMEDOUT;
		if (r <= 0) {
			*problem = r == 0 ? "has ended" : strerror(-r);
			return NULL;
		}
	}
	answer = r > 0 ? json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL) : NULL;
	*problem = "said something that is no answer";
	return answer;
}

static int fail(const struct remote *remote, const char *problem, json_t **ret)
{
	char *message;

	*ret = NULL;
	if (asprintf(&message, "the agent at %s %s", remote->name, problem) < 0)
		return -1;
	*ret = json_pack("{s:s, s:s}", "message", message, "remedy",
			 "look whether it can be started: ssh HOST mlx5lm-agent --version");
	free(message);
	return -1;
}

int remote_ask(struct remote *remote, const char *method, json_t *params, json_t **ret)
{
	const char *problem = "has ended";
	json_t *answer, *error, *result;
	int r;

	r = write_line(remote->to_agent, json_pack("{s:I, s:s, s:o}", "id", ++remote->last_id,
						   "method", method, "params", params));
	if (r < 0 && r != -EPIPE)
		problem = strerror(-r);
	answer = r == 0 ? read_answer(remote, &problem) : NULL;
	/* One that came too late for the request before. */
	while (answer && json_is_integer(json_object_get(answer, "id")) &&
	       json_integer_value(json_object_get(answer, "id")) < remote->last_id) {
		json_decref(answer);
		answer = read_answer(remote, &problem);
	}
	if (!answer)
		return fail(remote, problem, ret);
	error = json_object_get(answer, "error");
	result = json_object_get(answer, "result");
	*ret = NULL;
	if (json_integer_value(json_object_get(answer, "id")) == remote->last_id)
		*ret = json_incref(error ? error : result);
	json_decref(answer);
	if (!*ret || (error && !json_is_string(json_object_get(error, "message")))) {
		json_decref(*ret);
		return fail(remote, "said something that is no answer", ret);
	}
	return error ? -1 : 0;
}

void remote_close(struct remote *remote)
{
	int64_t deadline_ms = now_ms() + CLOSE_DEADLINE_MS;
	int r = 1;

	close(remote->to_agent);
	/* What it still says is of no use; that it ends is. */
	while (r > 0 && wait_for_agent(remote, deadline_ms) > 0) {
		remote->from_agent.begin = remote->from_agent.end;
		r = lines_fill(&remote->from_agent);
	}
	if (r > 0)
		kill(remote->pid, SIGTERM);
	while (waitpid(remote->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(remote->from_agent.fd);
	lines_release(&remote->from_agent);
}
