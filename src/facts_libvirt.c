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

int libvirt_facts_add_note(struct libvirt_facts *facts, const char *unknown, const char *format,
			   ...)
{
	struct libvirt_note *note;
	va_list args;

	if (array_reserve(&facts->notes, &facts->allocated_notes, facts->num_notes + 1,
			  sizeof(facts->notes[0])))
		return -ENOMEM;
	note = &facts->notes[facts->num_notes++];
	*note = (struct libvirt_note){ 0 };
	va_start(args, format);
	note->text = str_vprintf(format, args);
	va_end(args);
	return note->text ? str_replace(&note->facts, unknown) : -ENOMEM;
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
	for (size_t i = 0; i < facts->num_notes; i++) {
		free(facts->notes[i].facts);
		free(facts->notes[i].text);
	}
	free(facts->notes);
	*facts = (struct libvirt_facts){ 0 };
}
