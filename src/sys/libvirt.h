/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_LIBVIRT_H
#define SYS_LIBVIRT_H

#include "base/error.h"
#include "facts_libvirt.h"

/*
 * Connections to libvirt daemons. Only libvirt.c, domain.c and domain_ask.c include libvirt's
 * headers. No event loop is registered: that is process-global and irrevocable, and belongs to the
 * host program.
 */

struct _virConnect; /* libvirt's own name for what virConnectPtr points to */

int libvirt_open(const char *uri, struct _virConnect **ret, struct mlx5lm_error **reterr);
void libvirt_close(struct _virConnect *connection);

DEFINE_CLEANUP(struct _virConnect *, libvirt_close)
#define _cleanup_libvirt_ _cleanup_(libvirt_close_p)

/* False once the daemon or the way to it is gone. */
bool libvirt_is_alive(struct _virConnect *connection);

/* What cannot be had becomes a note; fails only without memory or if domains cannot be listed. */
int libvirt_read(struct _virConnect *connection, const char *uri, struct libvirt_facts *ret,
		 struct mlx5lm_error **reterr);

/*
 * Opens, reads and closes on a thread of its own, as a daemon that accepts and never answers
 * holds its client up without end. After a start that returned 0, finish comes exactly once and
 * returns at until_ms of base/clock.h at the latest: then with -ETIMEDOUT, and the thread ends,
 * closes and releases when the daemon does answer or goes away. If finish fails, ret has what is
 * known without a connection.
 */
struct libvirt_probe;

int libvirt_probe_start(const char *uri, struct libvirt_probe **ret, struct mlx5lm_error **reterr);
int libvirt_probe_finish(struct libvirt_probe *probe, uint64_t until_ms,
			 struct libvirt_facts *ret, struct mlx5lm_error **reterr);

/* Instead of finish: leaves the thread to itself. */
void libvirt_probe_abandon(struct libvirt_probe *probe);

DEFINE_CLEANUP(struct libvirt_probe *, libvirt_probe_abandon)
#define _cleanup_libvirt_probe_ _cleanup_(libvirt_probe_abandon_p)

/*
 * One more reference to a connection that the caller has; libvirt_close() gives it back. -EINVAL if
 * libvirt refuses. It is not silenced, as that would take the place of an error function that the
 * caller may have set and cannot be undone: what libvirt reports on it goes where the caller's
 * errors go. So nothing that is known to fail is asked on it.
 */
int libvirt_ref(struct _virConnect *connection, struct _virConnect **ret);

/* The URI that leads to where a connection does. */
int libvirt_get_uri(struct _virConnect *connection, char **ret, struct mlx5lm_error **reterr);

/*
 * What the daemon says of a PCI device of its host, for core/nodedev_xml. -EOPNOTSUPP if it does
 * not manage node devices, -ENOENT if it does not know this one.
 */
int libvirt_get_pci_xml(struct _virConnect *connection, const char *bdf, char **ret,
			struct mlx5lm_error **reterr);

/*
 * Makes an error of libvirt's last one in this thread, with its words as the detail. The code
 * is fallback unless libvirt's own tells more.
 */
int libvirt_error(struct mlx5lm_error **reterr, enum mlx5lm_error_code fallback,
		  const char *format, ...) _printf_(3, 4);

#endif
