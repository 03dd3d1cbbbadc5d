/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_MIGRATE_FLAG_H
#define CORE_MIGRATE_FLAG_H

/* virDomainMigrateFlags: part of libvirt's ABI, whose headers core does not see. */
enum migrate_flag {
	MIGRATE_LIVE = 1 << 0,
	MIGRATE_PEER2PEER = 1 << 1,
	MIGRATE_TUNNELLED = 1 << 2,
	MIGRATE_PERSIST_DEST = 1 << 3,
	MIGRATE_UNDEFINE_SOURCE = 1 << 4,
	MIGRATE_NON_SHARED_DISK = 1 << 6,
	MIGRATE_NON_SHARED_INC = 1 << 7,
	MIGRATE_UNSAFE = 1 << 9,
	MIGRATE_OFFLINE = 1 << 10,
	MIGRATE_AUTO_CONVERGE = 1 << 13,
	MIGRATE_POSTCOPY = 1 << 15,
	MIGRATE_TLS = 1 << 16,
	MIGRATE_PARALLEL = 1 << 17,
	MIGRATE_POSTCOPY_RESUME = 1 << 19,
};

#endif
