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
	FAKE_SOURCE_OFF,       /* fails as QEMU died at the source */
	FAKE_DESTINATION_DIES, /* fails, and the daemon there answers no more */
	FAKE_SOURCE_DIES,      /* succeeds, and the daemon here answers no more */
	FAKE_LOSES_VF,	       /* moves, without its VFs */
};

/* What the job's statistics say at one look during pre-copy. */
struct fake_sample {
	unsigned long long remaining;
	unsigned long long iteration;
	unsigned long long dirty_pages_per_s;
	unsigned long long bytes_per_s;
};

struct fake_script {
	enum fake_end end;
	int code;	     /* of libvirt, of an end that fails */
	int domain;	     /* the part of libvirt, likewise; 0: QEMU's driver */
	const char *message;
	int setup_polls;     /* how often it is looked at in each phase */
	int pre_copy_polls;
	int switchover_polls;
	int refused_aborts;  /* the job is not there yet for so many attempts to abort it */
	int ignored_aborts;  /* and so many are accepted without anything coming of them */
	bool late_aborts;    /* even the switchover can be aborted */
	int job_iteration;   /* passes counted by QEMU before this migration */
	unsigned long long converges_at_ms; /* pre-copy ends only with such a downtime limit */
	const struct fake_sample *samples;  /* instead of memory that gets less each time */
	size_t num_samples;		    /* the last one goes on */
	unsigned long long vfio_bytes;
	int throttle;
	bool is_dump; /* the job is none of migration */
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

/* Another URI of the same daemon, as another host sees it. */
void fake_add_uri(struct fake_daemon *daemon, const char *uri);

/* As libvirt counts. Until then, 11.3.0 and QEMU 10.0.2. */
void fake_set_versions(struct fake_daemon *daemon, unsigned long libvirt, unsigned long qemu);

/* A PCI device of the daemon's host; no driver: NULL. Said again, it has another driver. */
void fake_set_device(struct fake_daemon *daemon, const char *bdf, const char *driver);

/*
 * What it says of each CPU: enum virCPUCompareResult, and if that is an error, its code. Until
 * then, that its host's CPU has more.
 */
void fake_set_cpu(struct fake_daemon *daemon, int compared, int code);

/* The daemon cannot be reached (any more), and its migrations end. */
void fake_refuse(struct fake_daemon *daemon);
/* It is back; connections from before are dead. */
void fake_restart(struct fake_daemon *daemon);

/* QEMU of the domain dies. */
void fake_kill(struct fake_daemon *daemon, const char *name);

/* A migration that nobody waits for: its caller has died. */
void fake_start_job(struct fake_daemon *from, const char *name, struct fake_daemon *to,
		    const char *destination_xml, unsigned int flags);

/* Kinds of calls to a daemon. */
enum fake_call {
	FAKE_CALL_CONNECT,
	FAKE_CALL_VERSION,
	FAKE_CALL_CAPABILITIES,
	FAKE_CALL_LIST,
	FAKE_CALL_CPU,
	FAKE_CALL_DEVICE,
	FAKE_CALL_LOOK_UP,
	FAKE_CALL_PERSISTENT,
	FAKE_CALL_STATE,
	FAKE_CALL_XML,
	FAKE_CALL_GET_DOWNTIME,
	FAKE_CALL_SET_DOWNTIME,
	FAKE_CALL_JOB,
	FAKE_CALL_COMPLETED_JOB,
	FAKE_CALL_ABORT,
	FAKE_CALL_MIGRATE,     /* before anything is done */
	FAKE_CALL_MIGRATE_END, /* when all is done: only the answer is missing */
	FAKE_CALLS,
};

/* Holds up each such call from now on, until fake_let_go(), or the daemon is gone. */
void fake_hang(struct fake_daemon *daemon, enum fake_call call);
/* The next so many such calls fail. */
void fake_fail(struct fake_daemon *daemon, enum fake_call call, int times, int code,
	       const char *message);

/* Holds up the next connection to a daemon until fake_let_go(). */
void fake_hold_connect(struct fake_daemon *daemon);
/* Lets connections be made, and holds up the next question about versions, domains or CPUs. */
void fake_hold_answer(struct fake_daemon *daemon);
void fake_let_go(void);

/* NULL if the daemon has no such domain. */
const struct fake_domain *fake_find(struct fake_daemon *daemon, const char *name);

#define FAKE_MAX_DOWNTIMES 64

/* What was called since fake_reset(). */
struct fake_calls {
	int connects;
	int closes; /* connections that are gone */
	int migrations;
	int aborts;
	int polls; /* questions about running jobs */
	int hanging; /* calls that are held up now */
	int jobs; /* that run now */
	int open_objects;  /* connections and domains that were not released */
	int loud_errors;   /* raised on a connection that was not silenced */
	unsigned long long first_abort_ms; /* CLOCK_MONOTONIC; 0: none */
	unsigned long long downtimes_ms[FAKE_MAX_DOWNTIMES]; /* limits, as they were set */
	int num_downtimes;
	unsigned int xml_flags; /* of the last XML that was asked for */
	unsigned int cpu_flags; /* of the last comparison of CPUs, as the next */
	char cpu_question[512]; /* emulator|architecture|machine|type|CPU */
	unsigned int flags; /* of the last migration, as the next */
	bool direct;
	unsigned long long bandwidth;
	unsigned long long switchover_bandwidth;
	int channels;
	char tls_destination[64];
	char peer_uri[64];
	char data_uri[64];
	char destination_xml[4096];
	char persistent_xml[4096];
};

struct fake_calls fake_calls(void);

#endif
