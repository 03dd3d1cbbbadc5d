// SPDX-License-Identifier: LGPL-2.1-or-later
#include "facts_libvirt.h"

#include <errno.h>

#include "base/array.h"

int libvirt_facts_add_domain(struct libvirt_facts *facts, struct libvirt_domain **ret)
{
	if (array_reserve(&facts->domains, &facts->allocated_domains, facts->num_domains + 1,
			  sizeof(facts->domains[0])))
		return -ENOMEM;
	*ret = &facts->domains[facts->num_domains++];
	**ret = (struct libvirt_domain){ 0 };
	return 0;
}

void libvirt_facts_release(struct libvirt_facts *facts)
{
	for (size_t i = 0; i < facts->num_domains; i++) {
		free(facts->domains[i].name);
		free(facts->domains[i].uuid);
		free(facts->domains[i].xml);
	}
	free(facts->domains);
	free(facts->uri);
	free(facts->capabilities_xml);
	strv_release(&facts->notes);
	*facts = (struct libvirt_facts){ 0 };
}
