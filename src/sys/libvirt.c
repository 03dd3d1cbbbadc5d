// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/libvirt.h"

#include <errno.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "base/array.h"

/* How libvirt's codes read in ours; the rest is the failing step's own. */
static const struct {
	int libvirt;
	enum mlx5lm_error_code code;
	int errnum;
} codes[] = {
	{ VIR_ERR_NO_MEMORY, MLX5LM_ERROR_NO_MEMORY, ENOMEM },
	{ VIR_ERR_NO_SUPPORT, MLX5LM_ERROR_NOT_SUPPORTED, EOPNOTSUPP },
	{ VIR_ERR_OPERATION_UNSUPPORTED, MLX5LM_ERROR_NOT_SUPPORTED, EOPNOTSUPP },
	{ VIR_ERR_ARGUMENT_UNSUPPORTED, MLX5LM_ERROR_NOT_SUPPORTED, EOPNOTSUPP },
	{ VIR_ERR_NO_CONNECT, MLX5LM_ERROR_CONNECT, ENOTCONN },
	{ VIR_ERR_AUTH_FAILED, MLX5LM_ERROR_PERMISSION, EACCES },
	{ VIR_ERR_AUTH_CANCELLED, MLX5LM_ERROR_PERMISSION, EACCES },
	{ VIR_ERR_AUTH_UNAVAILABLE, MLX5LM_ERROR_PERMISSION, EACCES },
	{ VIR_ERR_OPERATION_DENIED, MLX5LM_ERROR_PERMISSION, EACCES },
	{ VIR_ERR_ACCESS_DENIED, MLX5LM_ERROR_PERMISSION, EACCES },
	{ VIR_ERR_NO_DOMAIN, MLX5LM_ERROR_NOT_FOUND, ENOENT },
	{ VIR_ERR_XML_ERROR, MLX5LM_ERROR_DOMAIN, EOPNOTSUPP },
	{ VIR_ERR_CONFIG_UNSUPPORTED, MLX5LM_ERROR_DOMAIN, EOPNOTSUPP },
	{ VIR_ERR_MIGRATE_UNSAFE, MLX5LM_ERROR_DOMAIN, EOPNOTSUPP },
	{ VIR_ERR_CPU_INCOMPATIBLE, MLX5LM_ERROR_INCOMPATIBLE, EOPNOTSUPP },
	{ VIR_ERR_OPERATION_TIMEOUT, MLX5LM_ERROR_TIMEOUT, ETIMEDOUT },
	{ VIR_ERR_AGENT_UNRESPONSIVE, MLX5LM_ERROR_TIMEOUT, ETIMEDOUT },
	{ VIR_ERR_OPERATION_ABORTED, MLX5LM_ERROR_CANCELLED, ECANCELED },
	{ VIR_ERR_RESOURCE_BUSY, MLX5LM_ERROR_BUSY, EBUSY },
};

static int errno_of(enum mlx5lm_error_code code)
{
	switch (code) {
	case MLX5LM_ERROR_CONNECT:
		return ENOTCONN;
	case MLX5LM_ERROR_DOMAIN:
		return EOPNOTSUPP;
	default:
		return EIO;
	}
}

int libvirt_error(struct mlx5lm_error **reterr, enum mlx5lm_error_code fallback,
		  const char *format, ...)
{
	const virError *error = virGetLastError();
	enum mlx5lm_error_code code = fallback;
	_cleanup_free_ char *message = NULL;
	int errnum = errno_of(fallback);
	va_list args;

	va_start(args, format);
	message = str_vprintf(format, args);
	va_end(args);
	if (!message)
		return error_no_memory(reterr);
	for (size_t i = 0; error && i < ARRAY_LENGTH(codes); i++) {
		if (codes[i].libvirt == error->code) {
			code = codes[i].code;
			errnum = codes[i].errnum;
		}
	}
	/* The only code whose int1 is documented to be an errno. */
	if (error && error->code == VIR_ERR_SYSTEM_ERROR && error->int1 > 0)
		errnum = error->int1;
	error_set(reterr, code, errnum, MLX5LM_SOURCE_LIBVIRT, "%s", message);
	if (error && error->message)
		error_add_detail(reterr, "%s", error->message);
	return -errnum;
}

static void be_silent(void *userdata, virErrorPtr error)
{
	(void)userdata;
	(void)error;
}

int libvirt_open(const char *uri, struct _virConnect **ret, struct mlx5lm_error **reterr)
{
	virConnectPtr connection;
	int r;

	if (virInitialize() < 0)
		return libvirt_error(reterr, MLX5LM_ERROR_CONNECT, "libvirt does not start");
	/* Never NULL: libvirt would then take a URI from the environment. */
	connection = virConnectOpen(uri);
	if (!connection) {
		r = libvirt_error(reterr, MLX5LM_ERROR_CONNECT,
				  "no connection to the libvirt daemon at %s", uri);
		error_add_remedy(reterr, "virsh -c '%s' uri shows whether it can be reached", uri);
		return r;
	}
	/* Else libvirt prints each error on the host program's stderr. */
	virConnSetErrorFunc(connection, NULL, be_silent);
	*ret = connection;
	return 0;
}

void libvirt_close(struct _virConnect *connection)
{
	if (connection)
		virConnectClose(connection);
}

bool libvirt_is_alive(struct _virConnect *connection)
{
	return virConnectIsAlive(connection) == 1;
}

static int add_note(struct libvirt_facts *facts, const char *what)
{
	const char *words = virGetLastErrorMessage();

	return strv_take(&facts->notes, str_printf("%s is not known: %s", what, words));
}

static int read_version(struct libvirt_facts *facts, int result, unsigned long version,
			const char *what, struct fact_u64 *ret)
{
	if (result < 0)
		return add_note(facts, what);
	/* libvirt's QEMU driver says 0 where it has no emulator. */
	if (version)
		*ret = fact_u64(version);
	return 0;
}

static int read_versions(struct _virConnect *connection, struct libvirt_facts *facts)
{
	unsigned long version = 0;
	int result, r;

	result = virGetVersion(&version, NULL, NULL);
	r = read_version(facts, result, version, "version of libvirt's client library",
			 &facts->client_version);
	version = 0;
	if (r == 0) {
		result = virConnectGetLibVersion(connection, &version);
		r = read_version(facts, result, version, "version of the daemon",
				 &facts->daemon_version);
	}
	version = 0;
	if (r == 0) {
		result = virConnectGetVersion(connection, &version);
		r = read_version(facts, result, version, "version of QEMU", &facts->qemu_version);
	}
	if (r == 0) {
		facts->capabilities_xml = virConnectGetCapabilities(connection);
		if (!facts->capabilities_xml)
			r = add_note(facts, "the host's UUID");
	}
	return r;
}

static int add_domain(struct libvirt_facts *facts, virDomainPtr domain)
{
	char uuid[VIR_UUID_STRING_BUFLEN] = "";
	struct libvirt_domain *item;

	if (libvirt_facts_add_domain(facts, &item) < 0)
		return -ENOMEM;
	item->name = strdup(virDomainGetName(domain));
	if (virDomainGetUUIDString(domain, uuid) == 0)
		item->uuid = strdup(uuid);
	if (!item->name || !item->uuid)
		return -ENOMEM;
	/* Last, as each call forgets the error of the one before. */
	item->xml = virDomainGetXMLDesc(domain, 0);
	if (item->xml)
		return 0;
	/* Gone since the list was made: then it uses nothing. */
	if (virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
		return 0;
	return add_note(facts, item->name);
}

static int read_domains(struct _virConnect *connection, const char *uri,
			struct libvirt_facts *facts, struct mlx5lm_error **reterr)
{
	virDomainPtr *domains = NULL;
	int length, r = 0;

	length = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	if (length < 0)
		return libvirt_error(reterr, MLX5LM_ERROR_IO, "domains of %s cannot be listed",
				     uri);
	for (int i = 0; i < length; i++) {
		if (r == 0)
			r = add_domain(facts, domains[i]);
		virDomainFree(domains[i]);
	}
	free(domains);
	return r < 0 ? error_no_memory(reterr) : 0;
}

int libvirt_read(struct _virConnect *connection, const char *uri, struct libvirt_facts *ret,
		 struct mlx5lm_error **reterr)
{
	_cleanup_libvirt_facts_ struct libvirt_facts facts = { .uri = strdup(uri) };
	int r;

	if (!facts.uri || read_versions(connection, &facts) < 0)
		return error_no_memory(reterr);
	r = read_domains(connection, uri, &facts, reterr);
	if (r < 0)
		return r;
	*ret = facts;
	facts = (struct libvirt_facts){ 0 };
	return 0;
}

int libvirt_probe(const char *uri, struct libvirt_facts *ret, struct mlx5lm_error **reterr)
{
	_cleanup_libvirt_ struct _virConnect *connection = NULL;
	int r;

	r = libvirt_open(uri, &connection, reterr);
	if (r < 0)
		return r;
	return libvirt_read(connection, uri, ret, reterr);
}
