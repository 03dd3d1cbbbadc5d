// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/libvirt.h"

#include <errno.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "base/array.h"
#include "sys/deadline.h"

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
	{ VIR_ERR_NO_NODE_DEVICE, MLX5LM_ERROR_NOT_FOUND, ENOENT },
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
	if (error)
		error_set_native(reterr, error->code, error->domain);
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

int libvirt_ref(struct _virConnect *connection, struct _virConnect **ret)
{
	/* No virConnSetErrorFunc(): it would take the place of one that the caller has set. */
	if (virConnectRef(connection) < 0)
		return -EINVAL;
	*ret = connection;
	return 0;
}

int libvirt_get_uri(struct _virConnect *connection, char **ret, struct mlx5lm_error **reterr)
{
	char *uri = virConnectGetURI(connection);

	if (!uri)
		return libvirt_error(reterr, MLX5LM_ERROR_IO,
				     "the URI of a connection to a libvirt daemon cannot be read");
	*ret = uri;
	return 0;
}

/* "0000:08:00.2" is called "pci_0000_08_00_2". */
static char *node_device_name(const char *bdf)
{
	char *name = str_printf("pci_%s", bdf);

	for (char *at = name; at && *at; at++) {
		if (*at == ':' || *at == '.')
			*at = '_';
	}
	return name;
}

int libvirt_get_pci_xml(struct _virConnect *connection, const char *bdf, char **ret,
			struct mlx5lm_error **reterr)
{
	_cleanup_free_ char *name = node_device_name(bdf);
	virNodeDevicePtr device;
	char *xml;
	int r = 0;

	if (!name)
		return error_no_memory(reterr);
	device = virNodeDeviceLookupByName(connection, name);
	if (!device)
		return libvirt_error(reterr, MLX5LM_ERROR_IO,
				     "the libvirt daemon cannot look up the device %s", bdf);
	xml = virNodeDeviceGetXMLDesc(device, 0);
	if (xml)
		*ret = xml;
	else
		r = libvirt_error(reterr, MLX5LM_ERROR_IO,
				  "XML of the device %s cannot be read", bdf);
	virNodeDeviceFree(device);
	return r;
}

bool libvirt_is_alive(struct _virConnect *connection)
{
	return virConnectIsAlive(connection) == 1;
}

static int read_version(struct libvirt_facts *facts, int result, unsigned long version,
			const char *fact, const char *what, struct fact_u64 *ret)
{
	if (result < 0)
		return libvirt_facts_add_note(facts, fact, "version of %s is not known: %s", what,
					      virGetLastErrorMessage());
	/* libvirt's QEMU driver says 0 where it has no emulator. */
	if (version)
		*ret = fact_u64(version);
	return 0;
}

/* What is known without a connection. */
static int begin_facts(const char *uri, struct libvirt_facts *facts)
{
	unsigned long version = 0;
	int result;

	if (str_replace(&facts->uri, uri) < 0)
		return -ENOMEM;
	result = virGetVersion(&version, NULL, NULL);
	return read_version(facts, result, version, "libvirt_client_version",
			    "libvirt's client library", &facts->client_version);
}

static int read_versions(struct _virConnect *connection, struct libvirt_facts *facts)
{
	unsigned long version = 0;
	int result, r;

	result = virConnectGetLibVersion(connection, &version);
	r = read_version(facts, result, version, "libvirt_daemon_version", "the daemon",
			 &facts->daemon_version);
	if (r < 0)
		return r;
	version = 0;
	result = virConnectGetVersion(connection, &version);
	r = read_version(facts, result, version, "qemu_version", "QEMU", &facts->qemu_version);
	if (r < 0)
		return r;
	facts->capabilities_xml = virConnectGetCapabilities(connection);
	if (facts->capabilities_xml)
		return 0;
	return libvirt_facts_add_note(facts, LIBVIRT_CAPABILITY_FACTS,
				      "capabilities of the host are not known: %s",
				      virGetLastErrorMessage());
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
	return libvirt_facts_add_note(facts, "in_use_by", "devices of domain '%s' are not known: %s",
				      item->name, virGetLastErrorMessage());
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
	_cleanup_libvirt_facts_ struct libvirt_facts facts = { 0 };
	int r;

	if (begin_facts(uri, &facts) < 0 || read_versions(connection, &facts) < 0)
		return error_no_memory(reterr);
	r = read_domains(connection, uri, &facts, reterr);
	if (r < 0)
		return r;
	*ret = facts;
	facts = (struct libvirt_facts){ 0 };
	return 0;
}

/* Belongs to the thread until it has ended. */
struct probe_work {
	char *uri;
	struct libvirt_facts facts;
	struct mlx5lm_error *error;
};

struct libvirt_probe {
	struct deadline_call *call;
	struct probe_work *work;
	struct libvirt_facts facts; /* what is known if the thread does not end */
};

static int work(void *data)
{
	struct probe_work *work = data;
	_cleanup_libvirt_ struct _virConnect *connection = NULL;
	int r;

	r = libvirt_open(work->uri, &connection, &work->error);
	if (r < 0)
		return r;
	return libvirt_read(connection, work->uri, &work->facts, &work->error);
}

static void work_free(void *data)
{
	struct probe_work *work = data;

	libvirt_facts_release(&work->facts);
	mlx5lm_error_free(work->error);
	free(work->uri);
	free(work);
}

static void probe_free(struct libvirt_probe *probe)
{
	libvirt_facts_release(&probe->facts);
	free(probe);
}

DEFINE_CLEANUP(struct libvirt_probe *, probe_free)
DEFINE_CLEANUP(struct probe_work *, work_free)

int libvirt_probe_start(const char *uri, struct libvirt_probe **ret, struct mlx5lm_error **reterr)
{
	_cleanup_(probe_free_p) struct libvirt_probe *probe = calloc(1, sizeof(*probe));
	_cleanup_(work_free_p) struct probe_work *job = calloc(1, sizeof(*job));
	int r;

	if (!probe || !job || str_replace(&job->uri, uri) < 0 ||
	    begin_facts(uri, &probe->facts) < 0)
		return error_no_memory(reterr);
	r = deadline_start(work, job, work_free, &probe->call);
	if (r < 0)
		return error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_LIBRARY,
				 "no thread to ask the libvirt daemon at %s: %s", uri,
				 strerror(-r));
	probe->work = TAKE(job);
	*ret = TAKE(probe);
	return 0;
}

int libvirt_probe_finish(struct libvirt_probe *probe, uint64_t until_ms,
			 struct libvirt_facts *ret, struct mlx5lm_error **reterr)
{
	_cleanup_(probe_free_p) struct libvirt_probe *handle = probe;
	_cleanup_(work_free_p) struct probe_work *job = NULL;
	int r, result = 0;

	r = deadline_wait(handle->call, until_ms, &result);
	if (r == 0) {
		job = handle->work;
		if (result == 0) {
			*ret = job->facts;
			job->facts = (struct libvirt_facts){ 0 };
			return 0;
		}
		r = error_pass(reterr, TAKE(job->error));
	} else {
		r = error_set(reterr, MLX5LM_ERROR_TIMEOUT, ETIMEDOUT, MLX5LM_SOURCE_LIBVIRT,
			      "the libvirt daemon at %s did not answer in time",
			      handle->facts.uri);
		error_add_remedy(reterr, "virsh -c '%s' version shows whether it answers; restart "
				 "it if it does not", handle->facts.uri);
	}
	*ret = handle->facts;
	handle->facts = (struct libvirt_facts){ 0 };
	return r;
}

void libvirt_probe_abandon(struct libvirt_probe *probe)
{
	_cleanup_libvirt_facts_ struct libvirt_facts facts = { 0 };

	libvirt_probe_finish(probe, 0, &facts, NULL);
}
