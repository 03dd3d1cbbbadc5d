/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SUPPORT_FAKE_LIBVIRT_H
#define SUPPORT_FAKE_LIBVIRT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A stand-in for libvirt at link time: exactly the vir* functions that the library uses, over a
 * small world of daemons and domains that a test writes down. A migration advances with the
 * number of times it is looked at, not with time, so that each phase is seen for certain.
 */

#define FAKE_UUID_SIZE 37 /* as libvirt's own */

/* How a scripted migration ends. */
enum fake_end {
	FAKE_MOVES,
	FAKE_FAILS,	       /* with code and message; the domain runs on at the source */
	FAKE_MOVES_BUT_FAILS,  /* the answer is lost on the way */
	FAKE_STAYS_BUT_SUCCEEDS,
	FAKE_BOTH_RUN,
	FAKE_SOURCE_PAUSED,    /* fails and leaves the source paused */
	FAKE_DESTINATION_DIES, /* fails, and the daemon there answers no more */
	FAKE_SOURCE_DIES,      /* succeeds, and the daemon here answers no more */
	FAKE_LOSES_VF,	       /* moves, without its VFs */
};

struct fake_script {
	enum fake_end end;
	int code;	     /* of libvirt, of an end that fails */
	const char *message;
	int setup_polls;     /* how often it is looked at in each phase */
	int pre_copy_polls;
	int switchover_polls;
	int refused_aborts;  /* the job is not there yet for so many attempts to abort it */
	int job_iteration;   /* passes counted by QEMU before this migration */
};

struct fake_domain {
	char name[64];
	char uuid[FAKE_UUID_SIZE];
	char *xml;
	int state;
	int reason;
	bool persistent;
	unsigned long long max_downtime_ms;
	struct fake_script script;
	int polls;	 /* since the migration began; -1: none */
	bool completed;	 /* has statistics of a completed job */
	bool aborted;
};

struct fake_daemon;

void fake_reset(void);
struct fake_daemon *fake_daemon(const char *uri, const char *host_uuid);
struct fake_domain *fake_domain(struct fake_daemon *daemon, const char *name, const char *uuid,
				const char *xml);

/*
 * What it says of each CPU: enum virCPUCompareResult, and if that is an error, its code. Until then,
 * that its host's CPU has more.
 */
void fake_set_cpu(struct fake_daemon *daemon, int compared, int code);

/* The daemon cannot be reached (any more). */
void fake_refuse(struct fake_daemon *daemon);

/* Holds up the next connection to a daemon until fake_let_go(). */
void fake_hold_connect(struct fake_daemon *daemon);
/* Lets connections be made, and holds up the next question about versions, domains or CPUs. */
void fake_hold_answer(struct fake_daemon *daemon);
void fake_let_go(void);

/* NULL if the daemon has no such domain. */
const struct fake_domain *fake_find(struct fake_daemon *daemon, const char *name);

/* What was called since fake_reset(). */
struct fake_calls {
	int connects;
	int closes; /* connections that are gone */
	int migrations;
	int aborts;
	int polls;
	int open_objects;  /* connections and domains that were not released */
	int loud_errors;   /* raised on a connection that was not silenced */
	unsigned int xml_flags; /* of the last XML that was asked for */
	unsigned int cpu_flags; /* of the last comparison of CPUs, as the next */
	char cpu_question[512]; /* emulator|architecture|machine|type|CPU */
	unsigned int flags; /* of the last migration, as the next */
	unsigned long long bandwidth;
	char data_uri[64];
	char destination_xml[4096];
	char persistent_xml[4096];
};

struct fake_calls fake_calls(void);

#endif
