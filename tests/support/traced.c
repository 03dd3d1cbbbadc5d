// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/traced.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_ALLOWED 77

static _Noreturn void give_up(const char *what, int status)
{
	fprintf(stderr, "traced process: %s, status %x\n", what, (unsigned int)status);
	abort();
}

pid_t traced_start(int (*work)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(NOT_ALLOWED);
		raise(SIGSTOP);
		_exit(work());
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		give_up("cannot be started", status);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_ALLOWED)
		return -1;
	if (!WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD) < 0)
		give_up("does not stop", status);
	return pid;
}

bool traced_go_on(pid_t pid)
{
	int status = 0;

	if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) != pid)
		give_up("does not go on", status);
	if (WIFSTOPPED(status))
		return true;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		give_up("ended badly", status);
	return false;
}

bool traced_kill_after(int (*work)(void), unsigned int stops, pid_t *ret_pid)
{
	bool alive = true;

	*ret_pid = traced_start(work);
	if (*ret_pid < 0)
		return false;
	for (unsigned int i = 0; alive && i < stops; i++)
		alive = traced_go_on(*ret_pid);
	if (!alive)
		return false;
	kill(*ret_pid, SIGKILL);
	if (waitpid(*ret_pid, NULL, 0) != *ret_pid)
		give_up("does not die", 0);
	return true;
}

static char letter_of(uint64_t number)
{
	switch (number) {
	case SYS_write:
		return 'w';
	case SYS_fsync:
		return 's';
	case SYS_fdatasync:
		return 'd';
#ifdef SYS_renameat
	case SYS_renameat:
#endif
	case SYS_renameat2:
		return 'r';
	case SYS_unlinkat:
		return 'u';
	default:
		return 0;
	}
}

void traced_disk_calls(pid_t pid, char *calls, size_t size)
{
	struct __ptrace_syscall_info info;
	size_t length = 0;

	while (traced_go_on(pid)) {
		char letter = 0;

		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) <= 0)
			give_up("does not tell its call", 0);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
			letter = letter_of(info.entry.nr);
		if (letter && length + 1 < size)
			calls[length++] = letter;
	}
	calls[length] = '\0';
}
