/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SUPPORT_FAKE_WORLD_H
#define SUPPORT_FAKE_WORLD_H

#include <pthread.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "support/fake_libvirt.h"

/* The world behind the stand-in for libvirt, for its own files only. */

#define FAKE_MAX_DOMAINS 16
#define FAKE_MAX_DEVICES 32

struct fake_device {
	char name[32]; /* as libvirt calls it */
	char driver[32];
};

struct fake_fault {
	int times;
	int code;
	const char *message;
};

struct fake_daemon {
	char uri[64];
	char other_uri[64];
	char host_uuid[FAKE_UUID_SIZE];
	unsigned long libvirt_version;
	unsigned long qemu_version;
	int life; /* how often it was restarted */
	bool refuses;
	bool hangs[FAKE_CALLS];
	bool holds;
	bool holds_answer;
	struct fake_fault faults[FAKE_CALLS];
	int cpu_compared;
	int cpu_code;
	struct fake_device devices[FAKE_MAX_DEVICES];
	size_t num_devices;
	struct fake_domain domains[FAKE_MAX_DOMAINS];
	size_t num_domains;
};

struct _virConnect {
	struct fake_daemon *daemon;
	int life; /* of the daemon when it was made */
	virErrorFunc handler;
	int references;
};

struct _virDomain {
	virConnectPtr connection;
	char name[64];
	char uuid[FAKE_UUID_SIZE];
};

struct _virNodeDevice {
	virConnectPtr connection;
	char name[32];
};

/* One lock over all: the stand-in has to be right, not fast. */
extern pthread_mutex_t fake_lock;
extern pthread_cond_t fake_changed;
extern struct fake_calls fake_counts;

/* As libvirt does at the beginning of each call of its API. */
void fake_forget_error(void);
/* Returns -1. domain: part of libvirt, 0 for QEMU's driver. */
int fake_raise(virConnectPtr connection, int domain, int code, const char *format, ...)
	__attribute__((__format__(__printf__, 4, 5)));

/* All below with the lock held. */

struct fake_daemon *fake_find_daemon(const char *uri);
struct fake_domain *fake_find_domain(struct fake_daemon *daemon, const char *name,
				     const char *uuid);
void fake_remove_domain(struct fake_daemon *daemon, struct fake_domain *domain);

/* Waits if the call is to be held up. */
void fake_hold(struct fake_daemon *daemon, enum fake_call call);

/* The same, and 0 or, with the error raised, -1 if the daemon is gone or the call is to fail. */
int fake_enter_call(virConnectPtr connection, enum fake_call call);

virDomainPtr fake_new_domain(virConnectPtr connection, const char *name, const char *uuid);
void fake_drop_connection(virConnectPtr connection);

/* Takes the lock; NULL, with the error raised, leaves it again. */
struct fake_domain *fake_enter(virDomainPtr domain, enum fake_call call);
void fake_leave(void);

#endif
